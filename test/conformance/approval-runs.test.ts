import { expect } from "vitest";
import { pendingOf } from "../support/approvers.ts";
import { durable } from "../support/durable.ts";
import { approvalConformance } from "./backends.ts";

approvalConformance("an approval", (test) => {
  test("is good for one run: a run that is started over needs a new one", async ({ openAsking, people }) => {
    const bench = await openAsking();
    await bench.worker();
    const { jobId, approvalId, decide } = await bench.ask();
    await decide("anna");
    await bench.settled(jobId);
    await bench.replay(jobId);
    await bench.reaches(jobId, ({ state, runNumber }) => state === "waiting" && runNumber === 2);
    const second = await pendingOf(bench, jobId);
    expect(second).toMatchObject({ subject: { runNumber: 2 } });
    expect(second.approvalId).not.toBe(approvalId);
    expect(await bench.status(jobId)).toMatchObject({ attempt: 0 });
    await people.decide(bench, second.approvalId, "bert");
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", runNumber: 2, attempt: 1 });
    expect(bench.effects.count("a", "start")).toBe(2);
  });

  test("is good for all attempts of its run", async ({ openAsking }) => {
    const bench = await openAsking({ types: [{ name: "app.work", retries: 2, backoff: { first: "10ms" } }] });
    await bench.worker();
    const { jobId, decide } = await bench.ask("app.work", { name: "a", fails: 2 });
    await decide("anna");
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", attempt: 3 });
    expect((await bench.events(jobId)).filter((event) => event === "approval.used")).toHaveLength(1);
  });

  test("a durable job passes its waits by it, and asks again when it continues with another input", async ({
    openAsking,
    people,
  }) => {
    const job = durable(async (ctx, { n }) => {
      await ctx.sleep("1ms");
      await ctx.sleep("1ms");
      if (n === 1) await ctx.continueAs({ n: 2 });
      return n;
    });
    const bench = await openAsking({ own: [job] });
    const first = await bench.worker();
    const { jobId, decide } = await bench.ask("app.durable", { n: 1 });
    await decide("anna");
    await bench.reaches(jobId, ({ state, runNumber }) => state === "waiting" && runNumber === 2);
    const next = await pendingOf(bench, jobId);
    expect(next.subject).toMatchObject({ runNumber: 2, position: 0, details: { input: { n: 2 } } });
    await first.stop({ graceMs: 0 });
    await people.decide(bench, next.approvalId, "anna");
    await bench.worker();
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", result: 2, runNumber: 2 });
  });
});
