import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { conformance } from "./backends.ts";

const quick = { backoff: { first: "10ms", jitter: 0 } };

conformance("timeout and deadline", (test) => {
  test.concurrent("an attempt that runs longer than its type's timeout fails with TIMEOUT, its signal fires, and it is tried again", async ({
    open,
  }) => {
    const bench = await open({ types: [{ name: "app.slow", timeout: { default: "80ms" }, retries: 1, ...quick }] });
    await bench.worker();
    const id = await bench.submit("app.slow", { name: "a", hold: true });
    expect(await bench.settled(id)).toMatchObject({
      state: "failed",
      attempt: 2,
      failures: 2,
      timeoutMs: 80,
      error: { code: "TIMEOUT", message: "it ran longer than its timeout of 80ms" },
    });
    expect(bench.effects.of("a", "stopped").map(({ reason }) => reason)).toEqual(["timeout", "timeout"]);
  });

  test.concurrent("a call may choose a timeout up to the type's maximum", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.slow", timeout: { max: "1m" }, retries: 0 }] });
    await bench.worker();
    const id = await bench.submit("app.slow", { name: "a", hold: true }, { timeout: "50ms" });
    expect(await bench.settled(id)).toMatchObject({ error: { code: "TIMEOUT" } });
    expect((await bench.status(await bench.submit("app.slow", { name: "b" }, { timeout: "1m" }))).timeoutMs).toBe(
      60_000,
    );
    await expect(bench.submit("app.slow", { name: "c" }, { timeout: "61s" })).rejects.toMatchObject({
      code: "INVALID_DURATION",
    });
  });

  test.concurrent("the configured timeout holds for a type that says none, up to the type's maximum", async ({
    open,
  }) => {
    const types = [{ name: "app.plain" }, { name: "app.short", timeout: { max: "1s" } }];
    const bench = await open({ types, config: { "job.timeout": "7s" } });
    expect((await bench.status(await bench.submit("app.plain", { name: "a" }))).timeoutMs).toBe(7_000);
    expect((await bench.status(await bench.submit("app.short", { name: "b" }))).timeoutMs).toBe(1_000);
  });

  test.concurrent("a handler that does not listen loses its slot after the kill grace", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.slow", timeout: { default: "50ms" }, retries: 0 }] });
    await bench.worker({ concurrency: 1 });
    const deaf = await bench.submit("app.slow", { name: "deaf", hold: true, deaf: true });
    const next = await bench.submit("app.slow", { name: "next" });
    expect(await bench.settled(deaf)).toMatchObject({ state: "failed", error: { code: "TIMEOUT" } });
    expect((await bench.settled(next)).state).toBe("completed");
    // What it does afterwards counts for nothing.
    bench.effects.release("deaf");
    await bench.effects.seen("deaf", "end");
    expect(await bench.status(deaf)).toMatchObject({ state: "failed", result: null });
  });

  test.concurrent("under the crash rule stop a timeout is final: nobody knows how far it came", async ({ open }) => {
    const bench = await open({
      types: [{ name: "app.slow", timeout: { default: "50ms" }, afterCrash: "stop", retries: 3 }],
    });
    await bench.worker();
    const id = await bench.submit("app.slow", { name: "a", hold: true });
    expect(await bench.settled(id)).toMatchObject({ state: "failed", attempt: 1, error: { code: "TIMEOUT" } });
  });

  test.concurrent("a deadline ends a running job for good, retries or not", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.slow", retries: 3, ...quick }] });
    await bench.worker();
    const id = await bench.submit("app.slow", { name: "a", hold: true }, { deadline: "2s" });
    expect(await bench.settled(id)).toMatchObject({
      state: "failed",
      attempt: 1,
      error: { code: "DEADLINE_EXCEEDED" },
    });
    expect(bench.effects.of("a", "stopped").map(({ reason }) => reason)).toEqual(["timeout"]);
  });

  test.concurrent("a type's own deadline holds where the call says none", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.slow", deadline: "500ms" }] });
    await bench.worker();
    const own = await bench.submit("app.slow", { name: "a", hold: true });
    expect(await bench.settled(own)).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    const longer = await bench.submit("app.slow", { name: "b" }, { deadline: "1h" });
    expect((await bench.settled(longer)).state).toBe("completed");
  });

  test.concurrent("a deadline that passes while a job waits for a key ends it, and its place is free", async ({
    open,
  }) => {
    const bench = await open({ types: [{ name: "app.keyed", concurrency: [{ key: "key", limit: 1 }] }] });
    await bench.worker();
    const holder = await bench.submit("app.keyed", { name: "holder", key: "k", hold: true });
    await bench.effects.seen("holder", "start");
    const late = await bench.submit("app.keyed", { name: "late", key: "k" }, { deadline: "50ms" });
    const next = await bench.submit("app.keyed", { name: "next", key: "k" });
    expect(await bench.settled(late)).toMatchObject({ state: "failed", attempt: 0 });
    bench.effects.release("holder");
    await bench.settled(holder);
    expect((await bench.settled(next)).state).toBe("completed");
  });

  test("a wall clock that jumps ends no attempt and takes no lease: running time is measured apart from it", async ({
    open,
  }) => {
    const clock = new TestClock();
    const types = [{ name: "app.slow", timeout: { default: "1m" }, retries: 0 }];
    const bench = await open({ types, clock, config: { "worker.lease": "5m" } });
    await bench.worker();
    // It looks after the other's lease.
    await bench.worker();
    const id = await bench.submit("app.slow", { name: "a", hold: true });
    await bench.effects.seen("a", "start");
    clock.jump(-30 * 86_400_000);
    await clock.advance(30_000);
    expect(await bench.status(id)).toMatchObject({ state: "running", attempt: 1 });
    clock.jump(60 * 86_400_000);
    await clock.advance(29_900);
    expect(await bench.status(id)).toMatchObject({ state: "running", attempt: 1 });
    await clock.advance(200);
    expect(await bench.settled(id)).toMatchObject({ state: "failed", attempt: 1, error: { code: "TIMEOUT" } });
  });

  test("a deadline that passes while a rate limit holds the job back ends it, and its turn goes to the next", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types: [{ name: "app.limited", rateLimit: { units: 1, per: "10m" } }], clock });
    await bench.worker();
    await bench.submit("app.limited", { name: "first" });
    const late = await bench.submit("app.limited", { name: "late" }, { deadline: "1m" });
    await clock.advance(60_000);
    expect(await bench.status(late)).toMatchObject({
      state: "failed",
      attempt: 0,
      error: { code: "DEADLINE_EXCEEDED" },
    });
    const next = await bench.submit("app.limited", { name: "next" });
    await clock.advance(540_000);
    expect((await bench.status(next)).state).toBe("completed");
  });

  test("a call's timeout may be a day where the type says no maximum, and its deadline 366 days", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.plain" }] });
    const submit = (options: object) => bench.submit("app.plain", { name: "a" }, options);
    expect((await bench.status(await submit({ timeout: "24h", deadline: "366d" }))).timeoutMs).toBe(86_400_000);
    expect((await bench.status(await submit({}))).timeoutMs).toBe(600_000);
    await expect(submit({ timeout: 86_400_001 })).rejects.toMatchObject({ code: "INVALID_DURATION" });
    await expect(submit({ deadline: 366 * 86_400_000 + 1 })).rejects.toMatchObject({ code: "INVALID_DURATION" });
  });

  test.concurrent("a handler that ends in time ends in time, whatever its signal does later", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.slow", timeout: { default: "10s" } }] });
    await bench.worker();
    const id = await bench.submit("app.slow", { name: "a" }, { deadline: "10s" });
    expect(await bench.settled(id)).toMatchObject({ state: "completed", error: null });
  });
});
