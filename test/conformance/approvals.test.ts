import { afterAll, expect } from "vitest";
import type { Actor } from "../../src/policy/actor.ts";
import { Approvers, pendingOf } from "../support/approvers.ts";
import { TestClock } from "../support/clock.ts";
import { needs } from "../support/system.ts";
import type { Bench } from "../support/test.ts";
import { conformance } from "./backends.ts";

needs("ssh");
const people = new Approvers("anna", "bert");
afterAll(() => people[Symbol.dispose]());

const types = [{ name: "app.work" }, { name: "app.other" }];
const AGENT: Actor = { kind: "agent", name: "codex", via: "cli" };
const PEOPLE = 'name: people, actors: ["person:*"], allow: true';
const ASK = 'name: ask, actors: ["agent:*"], approval: { by: [anna, bert], expires: 1h }';
const HOUR_MS = 3_600_000;
const asAgent = (bench: Bench, name: string, more: object = {}) =>
  bench.accept("app.work", { name, ...more }, {}, { actor: AGENT });

conformance("a job that needs an approval", (test) => {
  test("waits, holds nothing, and runs when it was approved", async ({ open }) => {
    const bench = await open({ types, config: people.policy([PEOPLE, ASK]) });
    await bench.worker();
    const accepted = await asAgent(bench, "a");
    expect(accepted).toMatchObject({ state: "waiting", existing: false, approvalId: expect.any(String) });
    const approval = await pendingOf(bench, accepted.jobId);
    expect(approval).toMatchObject({
      approvalId: accepted.approvalId,
      state: "pending",
      askedBy: AGENT,
      subject: {
        kind: "job",
        jobId: accepted.jobId,
        runNumber: 1,
        position: 0,
        title: "app.work for agent:codex",
        details: { operation: "jobs.enqueue", type: "app.work", input: { name: "a" }, labels: {} },
      },
      terms: { approvers: ["anna", "bert"], quorum: 1, level: "advisory", rule: "ask" },
      expiresAtMs: approval.askedAtMs + HOUR_MS,
    });
    expect(await bench.status(accepted.jobId)).toMatchObject({ state: "waiting", attempt: 0 });
    expect(await people.decide(bench, approval.approvalId, "bert", { reason: "go on" })).toEqual({
      kind: "stored",
      state: "approved",
    });
    expect(await bench.settled(accepted.jobId)).toMatchObject({ state: "completed", attempt: 1 });
    expect(await bench.backend.approvals.find(approval.approvalId)).toMatchObject({
      state: "approved",
      usedAtMs: expect.any(Number),
    });
    expect(await bench.events(accepted.jobId)).toEqual([
      "job.queued",
      "approval.asked",
      "approval.decided",
      "job.claimed",
      "approval.used",
      "job.completed",
    ]);
  });

  test("fails at once when one of them rejects it", async ({ open }) => {
    const bench = await open({ types, config: people.policy([PEOPLE, ASK]) });
    const { jobId, approvalId = "" } = await asAgent(bench, "a");
    expect(await people.decide(bench, approvalId, "anna", { decision: "rejected", reason: "not today" })).toEqual({
      kind: "stored",
      state: "rejected",
    });
    expect(await bench.status(jobId)).toMatchObject({
      state: "failed",
      attempt: 0,
      error: { code: "APPROVAL_REJECTED", message: expect.stringContaining("not today") },
    });
  });

  test("expires with its approval", async ({ open }) => {
    const clock = new TestClock(Date.UTC(2026, 10, 20));
    const bench = await open({ types, config: { ...people.policy([PEOPLE, ASK]), "worker.tick": "10s" }, clock });
    await bench.worker();
    const { jobId } = await asAgent(bench, "a");
    await clock.advance(HOUR_MS + 1);
    expect(await bench.status(jobId)).toMatchObject({ state: "expired", error: { code: "APPROVAL_EXPIRED" } });
  });
});
