import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", retries: 0 };

conformance("replay", (test) => {
  test("a finished job is started over as the next run of the same job, with the same input and counts from zero", async ({
    open,
  }) => {
    const bench = await open({ types: [{ ...work, retries: 3, backoff: { first: "10ms", jitter: 0 } }] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 1, returns: "same" }, { metadata: { of: "mine" } });
    await bench.settled(id);
    expect(await bench.replay(id)).toEqual({ kind: "started", runNumber: 2 });
    expect(await bench.settled(id)).toMatchObject({
      state: "completed",
      runNumber: 2,
      attempt: 2,
      failures: 1,
      result: { value: "same" },
      metadata: { of: "mine" },
    });
    expect(bench.effects.of("a", "start").map(({ run, attempt }) => `${run}-${attempt}`)).toEqual([
      "1-1",
      "1-2",
      "2-1",
      "2-2",
    ]);
    expect(await bench.events(id, 2)).toEqual(["run.started", "attempt.failed", "job.claimed", "job.completed"]);
  });

  test("failed, cancelled and expired jobs can be started over too", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    const expired = await bench.submit("app.work", { name: "expired" }, { expiresIn: "1m" });
    const cancelled = await bench.submit("app.work", { name: "cancelled" });
    await bench.cancel(cancelled);
    await clock.advance(61_000);
    await bench.worker();
    const failed = await bench.submit("app.work", { name: "failed", fails: 1, code: "INVALID_INPUT" });
    await clock.advance(0);
    for (const id of [expired, cancelled, failed]) {
      expect((await bench.replay(id)).kind).toBe("started");
      await clock.advance(0);
    }
    expect((await bench.status(expired)).state).toBe("completed");
    expect((await bench.status(cancelled)).state).toBe("completed");
    expect(await bench.status(failed)).toMatchObject({ state: "failed", runNumber: 2 });
  });

  test("an unfinished job is not started over, and one that never was is not found", async ({ open }) => {
    const bench = await open({ types: [work] });
    const id = await bench.submit("app.work", { name: "a" }, { delay: "1h" });
    expect(await bench.replay(id)).toEqual({ kind: "unfinished", state: "scheduled" });
    expect(await bench.replay("01933b5e-7c00-7000-8000-0123456789ab")).toEqual({ kind: "not_found" });
  });

  test("a run that was started over while others of its lease go on is seen, listed, counted and cancelled as running", async ({
    open,
  }) => {
    const bench = await open({ types: [work] });
    // Both are there when the worker comes, so one claim takes them.
    const short = await bench.submit("app.work", { name: "short" });
    const long = await bench.submit("app.work", { name: "long", hold: true });
    await bench.worker();
    await bench.settled(short);
    const again = await bench.submit("app.work", { name: "again", hold: true });
    await bench.effects.seen("again", "start");
    bench.effects.release("again");
    await bench.settled(again);
    await bench.replay(again);
    await bench.settled(again);
    await bench.replay(short);
    await bench.effects.seen("short", "end", 2);
    expect(await bench.settled(short)).toMatchObject({ state: "completed", runNumber: 2 });
    expect(await bench.replay(short)).toEqual({ kind: "started", runNumber: 3 });
    await bench.settled(short);
    bench.effects.release("long");
    await bench.settled(long);
  });

  test("a held run that was started over while others of its lease go on can be seen and cancelled", async ({
    open,
  }) => {
    const bench = await open({ types: [work] });
    const first = await bench.submit("app.work", { name: "first", hold: true });
    const other = await bench.submit("app.work", { name: "other", hold: true });
    await bench.worker();
    await bench.effects.seen("other", "start");
    await bench.cancel(first);
    await bench.settled(first);
    await bench.replay(first);
    await bench.effects.seen("first", "start", 2);
    expect(await bench.status(first)).toMatchObject({ state: "running", runNumber: 2, attempt: 1 });
    expect((await bench.backend.list({ limit: 10, state: "running" })).jobs.length).toBe(2);
    expect((await bench.backend.stats()).counts).toEqual([{ type: "app.work", state: "running", count: 2 }]);
    expect((await bench.backend.explain(first)).reason).toBe("running");
    expect(await bench.replay(first)).toEqual({ kind: "unfinished", state: "running" });
    expect(await bench.cancel(first)).toEqual({ kind: "requested" });
    expect(await bench.settled(first)).toMatchObject({ state: "cancelled", runNumber: 2 });
    bench.effects.release("other");
    expect((await bench.settled(other)).state).toBe("completed");
  });

  test("each run has a deadline as long as the first, however often it is started over", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" }, { deadline: "1m", requires: { site: "nowhere" } });
    for (const run of [1, 2, 3]) {
      await clock.advance(59_999);
      expect(await bench.status(id)).toMatchObject({ state: "queued", runNumber: run });
      await clock.advance(1);
      expect(await bench.status(id)).toMatchObject({ state: "failed", error: { code: "DEADLINE_EXCEEDED" } });
      await bench.replay(id);
    }
  });

  test("a run that is started over in the same millisecond keeps its deadline", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    const id = await bench.submit("app.work", { name: "a" }, { deadline: "1m" });
    await bench.cancel(id);
    await bench.replay(id);
    await bench.worker({ claims: false });
    await clock.advance(61_000);
    expect(await bench.status(id)).toMatchObject({ state: "failed", runNumber: 2 });
  });

  test("an expiry of unstarted work is not repeated", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" }, { expiresIn: "1m", requires: { site: "nowhere" } });
    await clock.advance(60_000);
    await bench.replay(id);
    await clock.advance(180_000);
    expect(await bench.status(id)).toMatchObject({ state: "queued", runNumber: 2 });
    await bench.worker({ labels: { site: "nowhere" } });
    await clock.advance(1_000);
    expect((await bench.status(id)).state).toBe("completed");
  });

  test("the results and the kept files of each run stay apart", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", keeps: { "report.txt": "kept" } });
    await bench.settled(id);
    await bench.replay(id);
    await bench.settled(id);
    const { artifacts } = bench.backend;
    const [first, second, newest] = [
      await artifacts.manifest(id, 1),
      await artifacts.manifest(id, 2),
      await artifacts.manifest(id),
    ];
    expect(first?.files).toEqual(second?.files);
    expect(newest?.runNumber).toBe(2);
  });

  test("a replay wakes an idle worker", async ({ open }) => {
    const bench = await open({ types: [work], config: { "worker.tick": "10s" } });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" });
    await bench.settled(id);
    await bench.replay(id);
    expect(await bench.settled(id, 2_000)).toMatchObject({ state: "completed", runNumber: 2 });
  });
});
