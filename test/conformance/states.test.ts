import { describe, expect } from "vitest";
import { z } from "zod";
import { AlreadyDone } from "../../src/attempt/handlers.ts";
import { defineJob } from "../../src/job/definition.ts";
import { TestClock } from "../support/clock.ts";
import { TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", backoff: { first: "1h", jitter: 0 } };

conformance("states", (test) => {
  test("a job goes from queued through running to completed, and each move is in its history", async ({ open }) => {
    const bench = await open({ types: [work] });
    const id = await bench.submit("app.work", { name: "a", hold: true, returns: { n: 7 } });
    expect(await bench.status(id)).toMatchObject({ state: "queued", runNumber: 1, attempt: 0, startedAtMs: null });
    await bench.worker();
    await bench.effects.seen("a", "start");
    expect(await bench.status(id)).toMatchObject({ state: "running", attempt: 1, endedAtMs: null });
    bench.effects.release("a");
    const done = await bench.settled(id);
    expect(done).toMatchObject({ state: "completed", attempt: 1, failures: 0, crashes: 0, error: null, outcome: null });
    expect(done.result).toEqual({ name: "a", attempt: 1, value: { n: 7 } });
    expect(await bench.events(id)).toEqual(["job.queued", "job.claimed", "job.completed"]);
    expect(bench.effects.count("a", "end")).toBe(1);
  });

  test("a finished job says more than its state where its handler does", async ({ open }) => {
    const done = defineJob({
      name: "app.done",
      input: z.strictObject({}),
      run: () => new AlreadyDone({ found: true }) as unknown,
    });
    const bench = await open({ types: [{ ...work, retries: 0 }], own: [done] });
    await bench.worker();
    const skipped = await bench.submit("app.done", {});
    expect(await bench.settled(skipped)).toMatchObject({
      state: "completed",
      outcome: "skipped",
      result: { found: true },
    });
    const ends = [
      ["ARTIFACT_MISSING", "failed", "partial"],
      ["OUTCOME_UNKNOWN", "failed", "unknown"],
      ["DESKTOP_LOCKED", "failed", "blocked"],
      ["STEP_LIMIT", "failed", "step_limit"],
      ["STOPPED_OUTSIDE", "cancelled", "stopped"],
    ] as const;
    for (const [code, state, outcome] of ends) {
      const id = await bench.submit("app.work", { name: code, fails: 9, code });
      expect(await bench.settled(id)).toMatchObject({ state, outcome, attempt: 1, error: { code } });
    }
  });

  test("scheduled to queued: its time comes", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker({ labels: {} });
    const id = await bench.submit("app.work", { name: "a" }, { delay: "1m", requires: { site: "nowhere" } });
    expect(await bench.status(id)).toMatchObject({ state: "scheduled", dueAtMs: clock.now() + 60_000 });
    await clock.advance(59_000);
    expect((await bench.status(id)).state).toBe("scheduled");
    await clock.advance(1_000);
    expect((await bench.status(id)).state).toBe("queued");
    expect(await bench.events(id)).toEqual(["job.scheduled"]);
  });

  test("scheduled to cancelled: at once, without an attempt", async ({ open }) => {
    const bench = await open({ types: [work] });
    const id = await bench.submit("app.work", { name: "a" }, { delay: "1h" });
    expect(await bench.cancel(id)).toEqual({ kind: "cancelled" });
    expect(await bench.status(id)).toMatchObject({ state: "cancelled", attempt: 0, error: { code: "CANCELLED" } });
  });

  test("scheduled to expired: its time came and went while nobody was there to let it in", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    // More than one look lets in, so that the last is found late where it was scheduled.
    const request = (name: string, options: object) => ({ type: "app.work", input: { name }, options, actor: TESTER });
    await bench.windlass.submit.submit(
      Array.from({ length: 1_000 }, (_, n) => request(`n${n}`, { delay: "1m", requires: { site: "nowhere" } })),
    );
    const late = await bench.submit("app.work", { name: "late" }, { delay: 60_001, expiresIn: 1 });
    await clock.advance(120_000);
    expect((await bench.status(late)).state).toBe("scheduled");
    await bench.worker();
    await clock.advance(1_000);
    expect(await bench.status(late)).toMatchObject({ state: "expired", attempt: 0, error: { code: "EXPIRED" } });
    expect(await bench.events(late)).toEqual(["job.scheduled", "job.expired"]);
    expect((await bench.backend.stats()).counts).toContainEqual({ type: "app.work", state: "queued", count: 1_000 });
  });

  test("scheduled to failed: its deadline passes first", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" }, { delay: "1h", deadline: "1m" });
    await clock.advance(60_000);
    expect(await bench.status(id)).toMatchObject({ state: "failed", attempt: 0, error: { code: "DEADLINE_EXCEEDED" } });
  });

  test("queued to cancelled: at once, without an attempt", async ({ open }) => {
    const bench = await open({ types: [work] });
    const id = await bench.submit("app.work", { name: "a" });
    expect(await bench.cancel(id)).toEqual({ kind: "cancelled" });
    expect(await bench.status(id)).toMatchObject({ state: "cancelled", attempt: 0, cancelRequested: false });
    expect(await bench.events(id)).toEqual(["job.queued", "job.cancelled"]);
  });

  test("queued to expired: nobody started it in time", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" }, { expiresIn: "1m", requires: { site: "nowhere" } });
    await clock.advance(60_000);
    expect(await bench.status(id)).toMatchObject({ state: "expired", attempt: 0, error: { code: "EXPIRED" } });
    expect(await bench.events(id)).toEqual(["job.queued", "job.expired"]);
  });

  test("queued to failed: its deadline passes while it waits", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" }, { deadline: "1m", requires: { site: "nowhere" } });
    await clock.advance(60_000);
    expect(await bench.status(id)).toMatchObject({ state: "failed", attempt: 0, error: { code: "DEADLINE_EXCEEDED" } });
  });

  test("running to scheduled: a failure that is tried again waits for its back-off", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 1 });
    const status = await bench.reaches(id, ({ failures }) => failures === 1);
    expect(status).toMatchObject({ state: "scheduled", attempt: 1, failures: 1, startedAtMs: null });
    expect(status.dueAtMs).toBeGreaterThan(Date.now() + 3_500_000);
    expect(await bench.events(id)).toEqual(["job.queued", "attempt.failed"]);
  });

  test("running to queued: a worker that stops gives it back", async ({ open }) => {
    const bench = await open({ types: [work] });
    const worker = await bench.worker();
    const id = await bench.submit("app.work", { name: "a", hold: true });
    await bench.effects.seen("a", "start");
    await worker.stop({ graceMs: 0 });
    expect(await bench.status(id)).toMatchObject({ state: "queued", attempt: 1, failures: 0, crashes: 0 });
    expect(await bench.events(id)).toEqual(["job.queued", "attempt.released"]);
  });

  test("running to failed: nothing is left to try", async ({ open }) => {
    const bench = await open({ types: [{ ...work, retries: 0 }] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 1 });
    expect(await bench.settled(id)).toMatchObject({
      state: "failed",
      failures: 1,
      result: null,
      error: { code: "HANDLER_FAILED", message: "a was told to fail" },
    });
    expect(await bench.events(id)).toEqual(["job.queued", "job.claimed", "job.failed"]);
  });

  test("running to cancelled: its handler has stopped", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", hold: true });
    await bench.effects.seen("a", "start");
    expect(await bench.cancel(id)).toEqual({ kind: "requested" });
    expect(await bench.settled(id)).toMatchObject({ state: "cancelled", attempt: 1 });
    expect(await bench.events(id)).toEqual(["job.queued", "job.claimed", "cancel.requested", "job.cancelled"]);
  });

  describe("nothing moves a finished job", () => {
    for (const [state, how] of [
      ["completed", { name: "a" }],
      ["failed", { name: "a", fails: 1 }],
    ] as const) {
      test(state, async ({ open }) => {
        const bench = await open({ types: [{ ...work, retries: 0 }] });
        await bench.worker();
        const id = await bench.submit("app.work", how, { deadline: "1m", expiresIn: "1m" });
        const before = await bench.settled(id);
        expect(before.state).toBe(state);
        expect(await bench.cancel(id)).toEqual({ kind: "finished", state });
        expect(await bench.status(id)).toEqual(before);
      });
    }

    test("cancelled", async ({ open }) => {
      const bench = await open({ types: [work] });
      const id = await bench.submit("app.work", { name: "a" });
      await bench.cancel(id);
      expect(await bench.cancel(id)).toEqual({ kind: "finished", state: "cancelled" });
      const worker = await bench.worker();
      const next = await bench.submit("app.work", { name: "b" });
      await bench.settled(next);
      await worker.stop({ graceMs: 0 });
      expect(bench.effects.count("a", "start")).toBe(0);
    });
  });
});
