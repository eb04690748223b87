import { expect } from "vitest";
import { pendingOf } from "../support/approvers.ts";
import { type AskingBench, HOUR_MS } from "../support/asking.ts";
import { TestClock } from "../support/clock.ts";
import { AGENT } from "../support/test.ts";
import { approvalConformance } from "./backends.ts";

/** A type of whose jobs with the same key one runs. */
const keyed = { name: "app.work", concurrency: [{ key: "key", limit: 1 }] };

/** A job waits for an approval, and another one that needs none has its key meanwhile. */
async function waitsBesideHolder(bench: AskingBench) {
  await bench.worker();
  const waiting = await bench.ask("app.work", { name: "a", key: "k" });
  const holder = await bench.submit("app.work", { name: "b", key: "k", hold: true });
  await bench.effects.seen("b", "start");
  return { ...waiting, holder };
}

approvalConformance("a job that waits for an approval", (test) => {
  test("takes its concurrency keys when it is approved, and waits for them then", async ({ openAsking }) => {
    const bench = await openAsking({ types: [keyed] });
    const { jobId, decide, holder } = await waitsBesideHolder(bench);
    await decide("anna");
    expect((await bench.status(jobId)).state).toBe("queued");
    expect((await bench.backend.explain(jobId)).reason).toBe("key");
    bench.effects.release("b");
    await bench.settled(holder);
    expect((await bench.settled(jobId)).state).toBe("completed");
  });

  test("is cancelled when it is approved and its key says that the newest gives way", async ({ openAsking }) => {
    const givesWay = { ...keyed, concurrency: [{ key: "key", limit: 1, strategy: "cancel-newest" as const }] };
    const bench = await openAsking({ types: [givesWay] });
    const { jobId, decide, holder } = await waitsBesideHolder(bench);
    await decide("anna");
    expect(await bench.status(jobId)).toMatchObject({ state: "cancelled", error: { code: "CANCELLED" } });
    bench.effects.release("b");
    await bench.settled(holder);
  });

  test("an idempotency key gives the waiting job back, with its approval", async ({ openAsking, people }) => {
    const bench = await openAsking();
    const ask = () => bench.accept("app.work", { name: "a" }, { idempotencyKey: "k" }, { actor: AGENT });
    const first = await ask();
    expect(await ask()).toEqual({ ...first, existing: true });
    await people.decide(bench, first.approvalId ?? "", "anna");
    const { approvalId: _, ...rest } = first;
    expect(await ask()).toEqual({ ...rest, state: "queued", existing: true });
  });

  test("it counts against the limit of its type, its rule's limit counts it, and lists show it waiting", async ({
    openAsking,
  }) => {
    const types = [{ name: "app.work" }, { name: "app.other", queuedMax: 1 }];
    const bench = await openAsking({ types, limit: "2/h" });
    const { jobId } = await bench.ask("app.other");
    await expect(bench.submit("app.other", { name: "b" })).rejects.toMatchObject({ code: "QUEUE_FULL" });
    await bench.ask();
    await expect(bench.ask()).rejects.toMatchObject({ code: "POLICY_DENIED" });
    expect((await bench.backend.list({ state: "waiting", type: "app.other", limit: 9 })).jobs).toMatchObject([
      { jobId, state: "waiting" },
    ]);
    expect((await bench.backend.stats()).counts).toContainEqual({ type: "app.other", state: "waiting", count: 1 });
  });

  test("explain says whose leave it waits for, and what to do", async ({ openAsking }) => {
    const clock = new TestClock(Date.UTC(2026, 10, 21, 12));
    const bench = await openAsking({ clock, approval: "by: [anna, bert], quorum: 2, expires: 1h" });
    const { jobId, approvalId } = await bench.ask();
    expect(await bench.backend.explain(jobId)).toEqual({
      state: "waiting",
      reason: "approval",
      sentence: `It waits for an approval (${approvalId}) by 2 of anna, bert until 2026-11-21T13:00:00.000Z (in 1h): windlass approvals show ${approvalId}.`,
    });
    // No worker has ended it.
    await clock.advance(2 * HOUR_MS);
    expect((await bench.backend.explain(jobId)).sentence).toContain(
      "until 2026-11-21T13:00:00.000Z, which is over (the next worker sees to that): windlass approvals",
    );
  });

  test("no event moves a job that waits for one", async ({ openAsking }) => {
    const bench = await openAsking();
    await bench.worker();
    const { jobId, approvalId } = await bench.ask();
    for (const event of ["approval.decided", "approval", approvalId, `approval:${approvalId}`]) {
      const payload = { approval_id: approvalId, decision: "approved", decided_by: "anna", job_id: jobId };
      expect((await bench.backend.emit({ event, payload }, AGENT)).given).toBe(0);
    }
    expect(await bench.status(jobId)).toMatchObject({ state: "waiting", attempt: 0 });
    expect((await pendingOf(bench, jobId)).decisions).toEqual([]);
  });
});
