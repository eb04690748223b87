import { expect, test } from "vitest";
import { TestClock } from "../../test/support/clock.ts";
import { threeAttempts } from "./three-attempts.ts";

/** Counts attempts and says when each was begun. */
function attempts({ timeoutMs }: { timeoutMs?: number } = {}) {
  const clock = new TestClock();
  const stop = new AbortController();
  const startedMono = clock.monotonic();
  const begunMs: number[] = [];
  const limits = { clock, signal: stop.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const run = (isTransient: (attempt: number) => boolean) =>
    threeAttempts(
      async () => {
        begunMs.push(Math.round(clock.monotonic() - startedMono));
        return begunMs.length;
      },
      isTransient,
      limits,
    );
  return { clock, stop, begunMs, run };
}

test("an attempt that went well, or can get no better, is the only one", async () => {
  const { begunMs, run } = attempts();
  expect(await run(() => false)).toBe(1);
  expect(begunMs).toEqual([0]);
});

test("what may get better is attempted three times, half a second and a second apart", async () => {
  const { clock, begunMs, run } = attempts();
  const done = run(() => true);
  await clock.advance(1_500);
  expect(await done).toBe(3);
  expect(begunMs).toEqual([0, 500, 1_500]);
});

test("no attempt is begun that would begin after the time limit", async () => {
  const { clock, begunMs, run } = attempts({ timeoutMs: 1_500 });
  const done = run(() => true);
  await clock.advance(5_000);
  expect(await done).toBe(2);
  expect(begunMs).toEqual([0, 500]);
});

test("a signal that fires ends the wait, and what came of the attempt before is the answer", async () => {
  const { clock, stop, begunMs, run } = attempts();
  const done = run(() => true);
  await clock.advance(100);
  stop.abort();
  expect(await done).toBe(1);
  expect(begunMs).toEqual([0]);
});
