import { afterAll, expect } from "vitest";
import type { DurableContext } from "../../src/job/durable/context.ts";
import type { Actor } from "../../src/policy/actor.ts";
import { Approvers, pendingOf } from "../support/approvers.ts";
import { TestClock } from "../support/clock.ts";
import { durable, emitted, waits } from "../support/durable.ts";
import { needs } from "../support/system.ts";
import { conformance } from "./backends.ts";

needs("ssh");
const people = new Approvers("anna", "bert", "carl");
afterAll(() => people[Symbol.dispose]());

const ALLOW = "name: all, allow: true";
const HOUR_MS = 3_600_000;
const config = () => people.policy([ALLOW]);

/** Asks once, and answers what came of it. */
const asks = (options: Partial<Parameters<DurableContext["approve"]>[0]> = {}) =>
  durable((ctx) => ctx.approve({ title: "Deploy 7", details: { tag: "v7" }, ...options }));

conformance("ctx.approve", (test) => {
  test("asks people, waits without a slot, and answers what they decided", async ({ open }) => {
    const bench = await open({ own: [asks()], config: config() });
    await bench.worker({ concurrency: 1 });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    const approval = await pendingOf(bench, id);
    expect(approval).toMatchObject({
      state: "pending",
      subject: { kind: "call", jobId: id, runNumber: 1, position: 1, title: "Deploy 7", details: { tag: "v7" } },
      terms: { approvers: [], quorum: 1, level: "advisory" },
    });
    await people.decide(bench, approval.approvalId, "anna", { reason: "looks well" });
    expect(await bench.settled(id)).toMatchObject({
      state: "completed",
      result: {
        approvalId: approval.approvalId,
        decision: "approved",
        decidedBy: "anna",
        reason: "looks well",
        level: "advisory",
      },
    });
    expect(await bench.backend.approvals.find(approval.approvalId)).toMatchObject({ usedAtMs: expect.any(Number) });
  });

  test("inside all it is answered although other calls still wait", async ({ open }) => {
    const job = durable(async (ctx) => {
      const { leave } = await ctx.all({
        leave: () => ctx.approve({ title: "a" }),
        paid: () => ctx.waitFor("paid"),
      });
      return leave.decision;
    });
    const bench = await open({ own: [job], config: config() });
    await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    const { approvalId } = await pendingOf(bench, id);
    await people.decide(bench, approvalId, "anna");
    await waits(bench, id, 2);
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ usedAtMs: expect.any(Number) });
    await emitted(bench, "paid");
    expect((await bench.settled(id)).result).toBe("approved");
  });
});
