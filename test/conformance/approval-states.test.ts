import { expect } from "vitest";
import { pendingOf } from "../support/approvers.ts";
import { HOUR_MS } from "../support/asking.ts";
import { TestClock } from "../support/clock.ts";
import { AGENT } from "../support/test.ts";
import { approvalConformance } from "./backends.ts";

approvalConformance("a job that needs an approval", (test) => {
  test("waiting to queued: it waits and holds nothing, and runs when it was approved", async ({ openAsking }) => {
    const bench = await openAsking();
    await bench.worker();
    const { jobId, approvalId, decide } = await bench.ask();
    const approval = await pendingOf(bench, jobId);
    expect(approval).toMatchObject({
      approvalId,
      state: "pending",
      askedBy: AGENT,
      subject: {
        kind: "job",
        jobId,
        runNumber: 1,
        position: 0,
        title: "app.work for agent:codex",
        details: { operation: "jobs.enqueue", type: "app.work", input: { name: "a" }, labels: {} },
      },
      terms: { approvers: ["anna", "bert"], quorum: 1, level: "advisory", rule: "ask" },
      expiresAtMs: approval.askedAtMs + HOUR_MS,
    });
    expect(await bench.status(jobId)).toMatchObject({ state: "waiting", attempt: 0 });
    expect(await decide("bert", { reason: "go on" })).toEqual({ kind: "stored", state: "approved" });
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", attempt: 1 });
    const used = await bench.backend.approvals.find(approvalId);
    expect(used).toMatchObject({ state: "approved", usedAtMs: expect.any(Number) });
    expect(await bench.events(jobId)).toEqual([
      "job.queued",
      "approval.asked",
      "approval.decided",
      "job.claimed",
      "approval.used",
      "job.completed",
    ]);
  });

  test("waiting to failed: one rejection is a veto, at once and whoever else approved", async ({ openAsking }) => {
    const bench = await openAsking({ approval: "by: [anna, bert], quorum: 2" });
    const { jobId, approvalId, decide } = await bench.ask();
    expect(await decide("bert")).toEqual({ kind: "stored", state: "pending" });
    expect(await decide("anna", { decision: "rejected", reason: "not today" })).toEqual({
      kind: "stored",
      state: "rejected",
    });
    expect(await bench.status(jobId)).toMatchObject({
      state: "failed",
      attempt: 0,
      error: { code: "APPROVAL_REJECTED", message: `anna rejected it (approval ${approvalId}): not today` },
    });
    expect(await decide("bert")).toEqual({ kind: "closed", state: "rejected", used: false });
  });

  test("waiting to expired: nobody decided in time", async ({ openAsking }) => {
    const clock = new TestClock();
    const bench = await openAsking({ clock });
    await bench.worker();
    const { jobId, approvalId, decide } = await bench.ask();
    await clock.advance(HOUR_MS);
    expect((await bench.status(jobId)).state).toBe("waiting");
    await clock.advance(1_000);
    expect(await bench.status(jobId)).toMatchObject({ state: "expired", error: { code: "APPROVAL_EXPIRED" } });
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "expired" });
    expect(await decide("anna")).toEqual({ kind: "closed", state: "expired", used: false });
  });

  test("waiting to expired: it was approved, and no worker used that in time", async ({ openAsking }) => {
    const clock = new TestClock();
    const bench = await openAsking({ clock });
    const { jobId, approvalId, decide } = await bench.ask();
    await decide("anna");
    await clock.advance(HOUR_MS + 1);
    expect((await bench.status(jobId)).state).toBe("queued");
    await bench.worker();
    // Its worker looks at what was signed, and then the timer ends it.
    await bench.reaches(jobId, ({ state }) => state === "waiting");
    await clock.advance(1_000);
    expect(await bench.status(jobId)).toMatchObject({
      state: "expired",
      attempt: 0,
      error: { code: "APPROVAL_EXPIRED" },
    });
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "expired", usedAtMs: null });
  });

  test("a decision after its time is refused, also where no worker has ended it yet", async ({ openAsking }) => {
    const clock = new TestClock();
    const bench = await openAsking({ clock });
    const { jobId, decide } = await bench.ask();
    await clock.advance(HOUR_MS + 1);
    expect(await decide("anna")).toEqual({ kind: "closed", state: "expired", used: false });
    expect((await bench.status(jobId)).state).toBe("waiting");
  });

  test("waiting to cancelled: at once, and its question is withdrawn", async ({ openAsking }) => {
    const bench = await openAsking();
    const { jobId, approvalId, decide } = await bench.ask();
    expect(await bench.cancel(jobId)).toEqual({ kind: "cancelled" });
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "withdrawn" });
    expect(await decide("anna")).toEqual({ kind: "closed", state: "withdrawn", used: false });
  });

  test("waiting to scheduled: one that is due later says so, and waits for its time when it was approved", async ({
    openAsking,
  }) => {
    const clock = new TestClock();
    const bench = await openAsking({ clock });
    await bench.worker();
    const { jobId, decide } = await bench.ask("app.work", { name: "a" }, { delay: "2h" });
    const { subject, expiresAtMs } = await pendingOf(bench, jobId);
    expect(subject.details).toMatchObject({ due_at: new Date(clock.now() + 2 * HOUR_MS).toISOString() });
    // Its time begins when the job is due.
    expect(expiresAtMs).toBe(clock.now() + 3 * HOUR_MS);
    await decide("anna");
    expect((await bench.status(jobId)).state).toBe("scheduled");
    await clock.advance(2 * HOUR_MS);
    expect((await bench.settled(jobId)).state).toBe("completed");
  });

  test("its deadline and its expiry hold while it waits", async ({ openAsking }) => {
    const clock = new TestClock();
    const bench = await openAsking({ clock });
    await bench.worker();
    const late = await bench.ask("app.work", { name: "late" }, { deadline: "10m" });
    const stale = await bench.ask("app.work", { name: "stale" }, { expiresIn: "10m" });
    await clock.advance(11 * 60_000);
    expect(await bench.status(late.jobId)).toMatchObject({ state: "failed", error: { code: "DEADLINE_EXCEEDED" } });
    expect(await bench.status(stale.jobId)).toMatchObject({ state: "expired", error: { code: "EXPIRED" } });
    expect((await bench.backend.approvals.list({ state: "pending", limit: 9 })).approvals).toEqual([]);
  });
});
