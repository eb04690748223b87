import { expect } from "vitest";
import { pendingOf } from "../support/approvers.ts";
import type { AskedJob } from "../support/asking.ts";
import { durable, emitted, waits } from "../support/durable.ts";
import { TESTER } from "../support/test.ts";
import { approvalConformance } from "./backends.ts";

/** Anna says yes, the job goes on to what it waits for next, and its worker ends. */
async function approvedAndLeft({ bench, worker, id, decide }: AskedJob) {
  await decide("anna");
  await waits(bench, id, 2);
  await worker.stop({ graceMs: 0 });
}

approvalConformance("ctx.approve on replay", (test) => {
  test("is verified again each time the code passes, in whatever worker, and answers the same", async ({ askedBy }) => {
    const seen: unknown[] = [];
    const job = durable(async (ctx) => {
      seen.push(await ctx.approve({ title: "a", details: { b: [1, null] } }));
      await ctx.waitFor("go");
    });
    const asked = await askedBy(job);
    const { bench, id } = asked;
    await approvedAndLeft(asked);
    await bench.worker();
    await emitted(bench, "go");
    expect((await bench.settled(id)).state).toBe("completed");
    expect(seen).toEqual([seen[0], seen[0]]);
    expect((await bench.events(id)).filter((event) => event === "approval.used")).toHaveLength(1);
  });

  test("an approver who was taken out of the policy meanwhile ends the run, past the code's own catch", async ({
    askedBy,
    open,
    people,
  }) => {
    const seen: unknown[] = [];
    const job = durable(async (ctx) => {
      try {
        await ctx.approve({ title: "a" });
        seen.push("approved");
        await ctx.waitFor("go");
        seen.push("went on");
      } catch {
        seen.push("caught");
      }
    });
    const asked = await askedBy(job);
    const { bench, id } = asked;
    await approvedAndLeft(asked);
    const withoutAnna = people.policy(["name: all, allow: true"], ["bert"]);
    const later = await open({ own: [job], folder: bench.folder, config: withoutAnna });
    await later.worker();
    await emitted(bench, "go");
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "APPROVER_UNKNOWN" } });
    expect(seen).toEqual(["approved"]);
  });

  test("other arguments at its position are NON_DETERMINISTIC, before anything that was approved counts", async ({
    askedBy,
  }) => {
    let tag = "v7";
    const job = durable(async (ctx) => {
      await ctx.approve({ title: "Deploy", details: { tag } });
      await ctx.waitFor("go");
    });
    const asked = await askedBy(job);
    const { bench, id } = asked;
    await approvedAndLeft(asked);
    tag = "v8";
    await bench.worker();
    await emitted(bench, "go");
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "NON_DETERMINISTIC" } });
  });

  test("is good for its run: a run that is started over, or continues, asks again", async ({ askedBy, people }) => {
    const job = durable(async (ctx, { n }) => {
      const { decidedBy } = await ctx.approve({ title: "a" });
      if (n === 1) await ctx.continueAs({ n: 2 });
      return decidedBy;
    });
    const { bench, id, decide } = await askedBy(job, { input: { n: 1 } });
    await decide("anna");
    await bench.reaches(id, ({ runNumber, state }) => runNumber === 2 && state === "waiting");
    await people.decide(bench, (await pendingOf(bench, id)).approvalId, "bert");
    expect(await bench.settled(id)).toMatchObject({ result: "bert", runNumber: 2 });
    await bench.replay(id);
    await bench.reaches(id, ({ runNumber, state }) => runNumber === 3 && state === "waiting");
    await people.decide(bench, (await pendingOf(bench, id)).approvalId, "carl");
    expect(await bench.settled(id)).toMatchObject({ result: "carl", runNumber: 3 });
    expect((await bench.backend.approvals.list({ jobId: id, limit: 9 })).approvals).toHaveLength(3);
  });

  test("jobs retry --from takes no approval over: it begins at one or before", async ({ askedBy }) => {
    const job = durable(async (ctx) => {
      await ctx.step("build", () => 1);
      await ctx.approve({ title: "leave" });
      await ctx.step("deploy", () => Promise.reject(new Error("no")));
    });
    const { bench, id, decide } = await askedBy(job);
    await decide("anna");
    await bench.settled(id);
    await expect(bench.backend.replay(id, TESTER, { from: "deploy" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("give a position up to 2"),
    });
    await bench.backend.replay(id, TESTER, { from: "leave" });
    await bench.reaches(id, ({ runNumber, state }) => runNumber === 2 && state === "waiting");
    expect(await pendingOf(bench, id)).toMatchObject({ subject: { runNumber: 2, position: 2 } });
    await bench.cancel(id);
  });
});
