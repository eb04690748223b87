import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { conformance } from "./backends.ts";

const quick = { backoff: { first: "10ms", jitter: 0 } };

conformance("retries", (test) => {
  test("a failure is tried again until it succeeds, and failures are counted", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", ...quick }] });
    const worker = await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 2 });
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 3, failures: 2, crashes: 0 });
    expect(bench.effects.of("a", "start").map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(await bench.events(id)).toEqual([
      "job.queued",
      "attempt.failed",
      "attempt.failed",
      "job.claimed",
      "job.completed",
    ]);
    const failed = worker.events.filter((event) => event.kind === "failed");
    expect(
      failed.map((event) => [event.kind === "failed" && event.retriesLeft, "final" in event && event.final]),
    ).toEqual([
      [2, false],
      [1, false],
    ]);
  });

  test("a type's number of retries is extra attempts, and the last error stands", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", retries: 2, ...quick }] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 99 });
    expect(await bench.settled(id)).toMatchObject({
      state: "failed",
      attempt: 3,
      failures: 3,
      error: { code: "HANDLER_FAILED" },
    });
  });

  test("a call may ask for fewer retries and not for more", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", retries: 2, ...quick }] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 99 }, { retries: 0 });
    expect(await bench.settled(id)).toMatchObject({ state: "failed", attempt: 1 });
    await expect(bench.submit("app.work", { name: "b" }, { retries: 3 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "retries is 3; app.work allows 0 to 2",
    });
  });

  test("the configured number of retries holds for a type that says none", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", ...quick }], config: { "job.retry_max": 1 } });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 99 });
    expect(await bench.settled(id)).toMatchObject({ state: "failed", attempt: 2 });
  });

  test("a type's back-off grows by its factor up to its cap, and no retry comes early", async ({ open }) => {
    const clock = new TestClock();
    const backoff = { first: "10s", factor: 3, cap: "60s", jitter: 0 };
    const bench = await open({ types: [{ name: "app.work", retries: 4, backoff }], clock });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 99 });
    await clock.advance(0);
    for (const seconds of [10, 30, 60, 60]) {
      expect(await bench.status(id)).toMatchObject({ state: "scheduled", dueAtMs: clock.now() + seconds * 1_000 });
      await clock.advance(seconds * 1_000 - 1);
      expect((await bench.status(id)).state).toBe("scheduled");
      await clock.advance(1);
    }
    expect((await bench.status(id)).state).toBe("failed");
  });

  test("the configured back-off holds for a type that says none", async ({ open }) => {
    const clock = new TestClock();
    const config = {
      "job.retry_backoff": "10s",
      "job.backoff_factor": 3,
      "job.backoff_cap": "60s",
      "job.retry_max": 4,
    };
    const bench = await open({ types: [{ name: "app.work" }], clock, config });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 99 });
    await clock.advance(0);
    for (const seconds of [10, 30, 60, 60]) {
      expect(await bench.status(id)).toMatchObject({ state: "scheduled", dueAtMs: clock.now() + seconds * 1_000 });
      await clock.advance(seconds * 1_000);
    }
    expect((await bench.status(id)).state).toBe("failed");
  });

  test("jitter spreads a back-off by its share and no further", async ({ open }) => {
    const clock = new TestClock();
    const backoff = { first: "100s", jitter: 0.5 };
    const bench = await open({ types: [{ name: "app.work", backoff }], clock });
    await bench.worker({ concurrency: 20 });
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => bench.submit("app.work", { name: `n${n}`, fails: 1 })),
    );
    const start = clock.now();
    await clock.advance(0);
    const waits = await Promise.all(ids.map(async (id) => (await bench.status(id)).dueAtMs - start));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(50_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(150_000);
    expect(new Set(waits).size).toBeGreaterThan(10);
  });

  test("an error of ours that says never is not tried again, and any other is", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", retries: 3, ...quick }] });
    await bench.worker();
    const never = await bench.submit("app.work", { name: "never", fails: 9, code: "INVALID_INPUT" });
    const again = await bench.submit("app.work", { name: "again", fails: 1, code: "HOST_UNREACHABLE" });
    expect(await bench.settled(never)).toMatchObject({ state: "failed", attempt: 1, error: { code: "INVALID_INPUT" } });
    expect(await bench.settled(again)).toMatchObject({ state: "completed", attempt: 2 });
  });

  test("a type says itself which errors are tried again", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", retryableOnly: "flaky", ...quick }] });
    await bench.worker();
    const other = await bench.submit("app.work", { name: "other", fails: 1 });
    const flaky = await bench.submit("app.work", { name: "flaky", fails: 1 });
    expect(await bench.settled(other)).toMatchObject({ state: "failed", attempt: 1 });
    expect(await bench.settled(flaky)).toMatchObject({ state: "completed", attempt: 2 });
  });

  test("a retry that could not start before the deadline is none", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", backoff: { first: "1h", jitter: 0 } }] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 1 }, { deadline: "30m" });
    expect(await bench.settled(id)).toMatchObject({ state: "failed", attempt: 1, error: { code: "HANDLER_FAILED" } });
  });

  test("a result that its schema refuses fails the job and is not tried again", async ({ open }) => {
    const bench = await open({ own: [strictResult()] });
    await bench.worker();
    const id = await bench.submit("app.strict", {});
    expect(await bench.settled(id)).toMatchObject({
      state: "failed",
      attempt: 1,
      error: { code: "INVALID_RESULT", message: expect.stringContaining("app.strict returned") },
    });
  });

  test("a retry of a non-zero exit is asked for by the call, where the type allows it", async ({ open }) => {
    const types = [
      { name: "app.exits", retries: 1, retryOnExit: true, ...quick },
      { name: "app.none", retries: 1, ...quick },
    ];
    const bench = await open({ types });
    await bench.worker();
    const input = { name: "a", fails: 1, code: "EXIT_NONZERO" };
    const asked = await bench.submit("app.exits", input, { retryOn: "exit" });
    const plain = await bench.submit("app.exits", { ...input, name: "b" });
    expect(await bench.settled(asked)).toMatchObject({ state: "completed", attempt: 2 });
    expect(await bench.settled(plain)).toMatchObject({ state: "failed", attempt: 1, error: { code: "EXIT_NONZERO" } });
    await expect(bench.submit("app.none", input, { retryOn: "exit" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("what a handler throws that is no error fails the attempt with a text", async ({ open }) => {
    const bench = await open({ own: [throwing()] });
    await bench.worker();
    for (const [what, message] of [
      ["text", "just a text"],
      ["nothing", "undefined"],
      ["bare", "what was thrown"],
    ] as const) {
      const id = await bench.submit("app.throws", { what });
      const { error } = await bench.settled(id);
      expect(error).toMatchObject({ code: "HANDLER_FAILED", message: expect.stringContaining(message) });
    }
  });

  test("a handler that returns a thenable is waited for", async ({ open }) => {
    const bench = await open({ own: [thenable()] });
    await bench.worker();
    const id = await bench.submit("app.thenable", {});
    expect((await bench.settled(id)).result).toBe("from then");
  });
});

import { z } from "zod";
import { defineJob, type JobType } from "../../src/job/definition.ts";

function strictResult(): JobType {
  return defineJob({
    name: "app.strict",
    input: z.strictObject({}),
    result: z.strictObject({ n: z.number() }),
    run: () => ({ n: "seven" }) as unknown as { n: number },
  });
}

function throwing(): JobType {
  return defineJob({
    name: "app.throws",
    input: z.strictObject({ what: z.string() }),
    retries: 0,
    run: ({ what }) => {
      throw what === "text" ? "just a text" : what === "bare" ? Object.create(null) : undefined;
    },
  });
}

/** As the query builders of some libraries return. */
function thenable(): JobType {
  return defineJob({
    name: "app.thenable",
    input: z.strictObject({}),
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    run: () => ({ then: (resolve: (value: string) => void) => resolve("from then") }) as unknown,
  });
}
