import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", retries: 0 };
const key = { idempotencyKey: "order-7" };

conformance("idempotency", (test) => {
  test("the same type, key and input give the first job back, running or finished", async ({ open }) => {
    const bench = await open({ types: [work] });
    const first = await bench.accept("app.work", { name: "a", hold: true, key: "x" }, key);
    expect(first.existing).toBe(false);
    // The order of the members of an object means nothing.
    const again = await bench.accept("app.work", { key: "x", hold: true, name: "a" }, key);
    expect(again).toMatchObject({ jobId: first.jobId, existing: true, state: "queued" });
    await bench.worker();
    await bench.effects.seen("a", "start");
    expect((await bench.accept("app.work", { name: "a", hold: true, key: "x" }, key)).state).toBe("running");
    bench.effects.release("a");
    await bench.settled(first.jobId);
    const finished = await bench.accept("app.work", { name: "a", hold: true, key: "x" }, key);
    expect(finished).toMatchObject({ jobId: first.jobId, existing: true, state: "completed" });
    expect(bench.effects.count("a", "start")).toBe(1);
  });

  test("the same key with another input is refused and names the first job", async ({ open }) => {
    const bench = await open({ types: [work] });
    const id = await bench.submit("app.work", { name: "a" }, key);
    await expect(bench.submit("app.work", { name: "b" }, key)).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
      message: expect.stringContaining(id),
    });
    expect((await bench.backend.list({ limit: 10 })).jobs.length).toBe(1);
  });

  test("the same key of another type is another key", async ({ open }) => {
    const bench = await open({ types: [work, { name: "app.other" }] });
    const first = await bench.submit("app.work", { name: "a" }, key);
    expect(await bench.submit("app.other", { name: "b" }, key)).not.toBe(first);
  });

  test("a failed and a cancelled job still hold their keys", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const failed = await bench.submit("app.work", { name: "a", fails: 1 }, key);
    await bench.settled(failed);
    const other = { idempotencyKey: "order-8" };
    const cancelled = await bench.submit("app.work", { name: "b" }, { ...other, delay: "1h" });
    await bench.cancel(cancelled);
    expect(await bench.accept("app.work", { name: "a", fails: 1 }, key)).toMatchObject({
      jobId: failed,
      state: "failed",
    });
    expect(await bench.accept("app.work", { name: "b" }, other)).toMatchObject({ jobId: cancelled, existing: true });
  });

  test("fresh makes a new job although the key is held, and gives the key to it", async ({ open }) => {
    const bench = await open({ types: [work] });
    const first = await bench.submit("app.work", { name: "a" }, key);
    const second = await bench.accept("app.work", { name: "b" }, { ...key, fresh: true });
    expect(second).toMatchObject({ existing: false });
    expect(second.jobId).not.toBe(first);
    expect((await bench.accept("app.work", { name: "b" }, key)).jobId).toBe(second.jobId);
  });

  test("a key is free again after the type's window, but never while its job is unfinished", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [{ ...work, idempotency: { window: "1m" } }], clock });
    await bench.worker();
    const done = await bench.submit("app.work", { name: "a" }, key);
    const waiting = await bench.submit("app.work", { name: "b" }, { idempotencyKey: "order-8", delay: "3m" });
    await clock.advance(59_999);
    expect((await bench.accept("app.work", { name: "a" }, key)).jobId).toBe(done);
    await clock.advance(1);
    const next = await bench.accept("app.work", { name: "another" }, key);
    expect(next.existing).toBe(false);
    // The job outlives its key.
    expect((await bench.status(done)).state).toBe("completed");
    expect((await bench.accept("app.work", { name: "b" }, { idempotencyKey: "order-8", delay: "3m" })).jobId).toBe(
      waiting,
    );
    expect((await bench.accept("app.work", { name: "another" }, key)).jobId).toBe(next.jobId);
  });

  test("the window is a day where the type says none", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    const id = await bench.submit("app.work", { name: "a" }, key);
    await bench.cancel(id);
    await clock.advance(86_399_999);
    expect((await bench.accept("app.work", { name: "a" }, key)).jobId).toBe(id);
    await clock.advance(1);
    expect((await bench.accept("app.work", { name: "a" }, key)).jobId).not.toBe(id);
  });

  test("many callers at once with one key make one job", async ({ open }) => {
    const bench = await open({ types: [work] });
    const all = await Promise.all(Array.from({ length: 50 }, () => bench.accept("app.work", { name: "a" }, key)));
    expect(new Set(all.map(({ jobId }) => jobId)).size).toBe(1);
    expect(all.filter(({ existing }) => !existing).length).toBe(1);
  });

  test("a key twice in one submission is one job", async ({ open }) => {
    const bench = await open({ types: [work] });
    const request = { type: "app.work", input: { name: "a" }, options: key, actor: tester };
    const [first, second] = await bench.windlass.submit.submit([request, request]);
    expect(second).toMatchObject({ jobId: first?.jobId, existing: true });
  });

  test("a key with no characters and one with too many are refused", async ({ open }) => {
    const bench = await open({ types: [work] });
    for (const idempotencyKey of ["", "x".repeat(513)])
      await expect(bench.submit("app.work", { name: "a" }, { idempotencyKey })).rejects.toMatchObject({
        code: "INVALID_INPUT",
      });
  });

  test("a replay leaves the key with its job", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" }, key);
    await bench.settled(id);
    await bench.replay(id);
    await bench.settled(id);
    expect((await bench.accept("app.work", { name: "a" }, key)).jobId).toBe(id);
  });
});

const tester = { kind: "person", name: "tester", via: "library" } as const;
