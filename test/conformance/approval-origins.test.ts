import { expect } from "vitest";
import { pendingOf } from "../support/approvers.ts";
import { durable, waits } from "../support/durable.ts";
import { AGENT, TESTER } from "../support/test.ts";
import { approvalConformance } from "./backends.ts";

const types = [{ name: "app.work" }, { name: "app.other" }];
/** Awaits a child of another type. */
const parent = durable(async (ctx) => ctx.run("app.other", { name: "awaited" }));
/** Parents run; whatever else is submitted needs Anna's yes. */
const RULES = ["name: parents, types: [app.work, app.durable], allow: true", "name: ask, approval: { by: [anna] }"];

approvalConformance("a job needs its approval wherever it comes from", (test) => {
  test("children, plain and durable, and the jobs of schedules wait as any other", async ({ open, people }) => {
    const bench = await open({ types, own: [parent], config: people.policy(RULES) });
    await bench.worker();
    const ofDurable = await bench.submit("app.durable", {});
    await waits(bench, ofDurable);
    const ofPlain = await bench.submit("app.work", { name: "p", children: ["plain"], childType: "app.other" });
    await bench.settled(ofPlain);
    const slot = { schedule: "s", instantMs: 0, missed: 0 };
    const scheduled = { actor: AGENT, operation: "schedules.fire", slot };
    await bench.submit("app.other", { name: "fired" }, {}, scheduled);
    const { approvals } = await bench.backend.approvals.list({ state: "pending", limit: 9 });
    const asked = approvals.map(({ subject: { details } }) => details as { operation: string; input: object });
    expect(asked.map(({ operation, input }) => ({ operation, input }))).toEqual(
      expect.arrayContaining([
        { operation: "jobs.enqueue", input: { name: "awaited" } },
        { operation: "jobs.enqueue", input: { name: "plain" } },
        { operation: "schedules.fire", input: { name: "fired" } },
      ]),
    );
    expect((await bench.backend.explain(ofDurable)).sentence).toMatch(/its child \S+ \(app\.other, waiting\)/);
    for (const { approvalId, subject } of approvals) {
      await people.decide(bench, approvalId, "anna");
      expect((await bench.settled(subject.jobId)).state).toBe("completed");
    }
    expect(await bench.settled(ofDurable)).toMatchObject({ state: "completed", result: { name: "awaited" } });
  });

  test("a child that waits is cancelled with its parent", async ({ open, people }) => {
    const bench = await open({ types, own: [parent], config: people.policy(RULES) });
    await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await bench.cancel(id);
    expect((await bench.backend.approvals.list({ limit: 9 })).approvals).toMatchObject([{ state: "withdrawn" }]);
    expect((await bench.backend.list({ state: "cancelled", limit: 9 })).jobs).toHaveLength(2);
  });

  test("a job that is enqueued in a user's own transaction waits too", async ({ openAsking, skip }) => {
    const bench = await openAsking();
    const { embedded, submit } = bench.windlass;
    if (!bench.backend.capabilities.transaction || embedded === undefined)
      return skip("this backend has no transaction");
    await submit.load("app.work");
    const request = { type: "app.work", input: { name: "a" }, options: {}, actor: AGENT };
    const accepted = await embedded.enqueueWith((_, accept) => accept(submit.prepare(request)));
    expect(accepted).toMatchObject({
      state: "waiting",
      approvalId: (await pendingOf(bench, accepted.jobId)).approvalId,
    });
  });

  test("all jobs of one list wait, each for its own", async ({ openAsking }) => {
    const bench = await openAsking();
    const request = (name: string) => ({ type: "app.work", input: { name }, options: {}, actor: AGENT });
    const accepted = await bench.windlass.submit.submit([
      request("a"),
      request("b"),
      { ...request("c"), actor: TESTER },
    ]);
    expect(accepted.map(({ state }) => state)).toEqual(["waiting", "waiting", "queued"]);
    expect(new Set(accepted.map(({ approvalId }) => approvalId)).size).toBe(3);
  });
});
