import { expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";

/** A clock that is moved by hand; a timer fires when its time is passed. */
function handClock() {
  let now = 0;
  const timers = new Set<{ atMono: number; action: () => void }>();
  const clock: Pick<Clock, "monotonic" | "after"> = {
    monotonic: () => now,
    after: (delayMs, action) => {
      const timer = { atMono: now + delayMs, action };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
  };
  const advance = (byMs: number): void => {
    for (const endMono = now + byMs; now < endMono; ) {
      now++;
      for (const timer of [...timers]) if (timer.atMono <= now && timers.delete(timer)) timer.action();
    }
  };
  return { wheel: new DeadlineWheel(clock as Clock), advance, timers };
}

test("a deadline is met once and never early, whichever others are taken off", () => {
  const { wheel, advance } = handClock();
  const met: string[] = [];
  const entries = ["a", "b", "c", "d"].map((name, index) => wheel.add(100 * (index + 1), () => met.push(name)));
  wheel.remove(entries[1]);
  wheel.remove(entries[1]);
  advance(99);
  expect(met).toEqual([]);
  advance(21);
  expect(met).toEqual(["a"]);
  wheel.remove(entries[0]);
  advance(179);
  expect(met).toEqual(["a"]);
  advance(121);
  expect(met).toEqual(["a", "c", "d"]);
});

test("what one deadline takes off is not met in the same turn, and what it adds is met later", () => {
  const { wheel, advance } = handClock();
  const met: string[] = [];
  const second = { entry: undefined as ReturnType<DeadlineWheel["add"]> | undefined };
  wheel.add(50, () => {
    met.push("first");
    wheel.remove(second.entry);
    wheel.add(50, () => met.push("added"));
  });
  second.entry = wheel.add(50, () => met.push("second"));
  advance(60);
  expect(met).toEqual(["first"]);
  advance(20);
  expect(met).toEqual(["first", "added"]);
});

test("there is no timer without deadlines", () => {
  const { wheel, advance, timers } = handClock();
  const entry = wheel.add(1_000, () => undefined);
  expect(timers.size).toBe(1);
  wheel.remove(entry);
  advance(20);
  expect(timers.size).toBe(0);
});
