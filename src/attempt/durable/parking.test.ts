import { expect, test } from "vitest";
import { Coroutine } from "./coroutine.ts";
import { Parking } from "./parking.ts";

function parkedRun(): { readonly coroutine: Coroutine; readonly input: unknown; readonly redactor: undefined } {
  return { coroutine: new Coroutine(), input: {}, redactor: undefined };
}

function parkingAt(max?: number): { parking: Parking; advance: (ms: number) => void } {
  let now = 0;
  const advance = (ms: number): void => {
    now += ms;
  };
  return { parking: new Parking({ monotonic: () => now }, max), advance };
}

test("beyond the limit the one that was parked longest ago is evicted, and its signal says so", () => {
  const { parking } = parkingAt(2);
  const codes = [parkedRun(), parkedRun(), parkedRun()];
  for (const [job, code] of codes.entries()) parking.park(job, { run: 1, attempt: 1, code });
  expect(codes.map(({ coroutine }) => coroutine.alive)).toEqual([false, true, true]);
  expect(codes[0]?.coroutine.signal.reason).toBe("suspended");
  expect(parking.take(0, 1, 2)).toBe(undefined);
  expect(parking.take(1, 1, 2)).toBe(codes[1]);
  expect(parking.size).toBe(1);
});

test("code is taken by the attempt that follows its own, and by no other", () => {
  const { parking } = parkingAt();
  const code = parkedRun();
  for (const [run, attempt] of [
    [1, 3],
    [2, 2],
    [1, 1],
  ] as const) {
    const other = parkedRun();
    parking.park(7, { run: 1, attempt: 1, code: other });
    expect(parking.take(7, run, attempt)).toBe(undefined);
    expect(other.coroutine.alive).toBe(false);
  }
  parking.park(7, { run: 1, attempt: 1, code });
  expect(parking.take(7, 1, 2)).toBe(code);
  expect(code.coroutine.alive).toBe(true);
});

test("after a quarter of an hour, or when its job has ended, code is evicted", () => {
  const { parking, advance } = parkingAt();
  const [old, ended, young] = [parkedRun(), parkedRun(), parkedRun()];
  parking.park(1, { run: 1, attempt: 1, code: old });
  advance(14 * 60_000);
  parking.park(2, { run: 1, attempt: 1, code: ended });
  parking.park(3, { run: 1, attempt: 1, code: young });
  advance(2 * 60_000);
  parking.sweep((job) => job === 2);
  expect([old, ended, young].map(({ coroutine }) => coroutine.alive)).toEqual([false, false, true]);
});

test("what was not suspended after all is not parked, and a stop evicts all", () => {
  const { parking } = parkingAt();
  const [first, second] = [parkedRun(), parkedRun()];
  parking.park(1, { run: 1, attempt: 1, code: first });
  parking.unpark(1, first);
  parking.park(2, { run: 1, attempt: 1, code: second });
  parking.clear();
  expect([first.coroutine.alive, second.coroutine.alive, parking.size]).toEqual([true, false, 0]);
});
