import { expect } from "vitest";
import { HOUR_MS } from "../support/asking.ts";
import { TestClock } from "../support/clock.ts";
import { approvalConformance } from "./backends.ts";

approvalConformance("records of approvals", (test) => {
  test("a list is by state and job, oldest question first, page by page", async ({ openAsking }) => {
    const clock = new TestClock();
    const bench = await openAsking({ clock });
    const asked = [];
    for (const name of ["a", "b", "c"]) {
      asked.push(await bench.ask("app.work", { name }));
      await clock.advance(5);
    }
    const { list } = bench.backend.approvals;
    const ids = async (filter: Parameters<typeof list>[0]) =>
      (await list(filter)).approvals.map(({ approvalId }) => approvalId);
    const [a, b, c] = asked.map(({ approvalId }) => approvalId);
    expect(await ids({ limit: 9 })).toEqual([a, b, c]);
    const page = await list({ limit: 2 });
    expect(page.cursor).toBe(b);
    expect(await ids({ limit: 2, cursor: page.cursor ?? "" })).toEqual([c]);
    await asked[1]?.decide("anna");
    expect(await ids({ state: "pending", limit: 9 })).toEqual([a, c]);
    expect(await ids({ jobId: asked[2]?.jobId ?? "", limit: 9 })).toEqual([c]);
    await expect(list({ limit: 1, cursor: "x" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await bench.backend.approvals.find("x")).toBeUndefined();
  });

  test("retention takes them with their job", async ({ openAsking }) => {
    const clock = new TestClock();
    const bench = await openAsking({ clock });
    const { jobId, approvalId, decide } = await bench.ask();
    await decide("anna", { decision: "rejected" });
    // The newest job stays.
    await bench.submit("app.work", { name: "b" });
    await clock.advance(8 * 24 * HOUR_MS);
    await bench.worker();
    await clock.advance(2 * 60_000);
    expect(await bench.backend.status(jobId)).toBeUndefined();
    expect(await bench.backend.approvals.find(approvalId)).toBeUndefined();
  });
});
