import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

describe("the machine's clock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("wall time is whole milliseconds and monotonic time never goes back", () => {
    vi.useRealTimers();
    expect(Number.isInteger(systemClock.now())).toBe(true);
    const times = Array.from({ length: 100 }, () => systemClock.monotonic());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("a delay longer than a plain timer can wait is waited for in full, and the action runs once", () => {
    const action = vi.fn();
    const days = 60 * 86_400_000;
    systemClock.after(days, action);
    vi.advanceTimersByTime(days - 1);
    expect(action).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(action).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(days);
    expect(action).toHaveBeenCalledTimes(1);
  });

  test("a delay that is over already runs as soon as the machine can, never at once", () => {
    const action = vi.fn();
    systemClock.after(-5, action);
    expect(action).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(action).toHaveBeenCalledTimes(1);
  });

  test("a timer that is cancelled does not run, in its second piece neither", () => {
    const action = vi.fn();
    const timer = systemClock.after(60 * 86_400_000, action);
    vi.advanceTimersByTime(40 * 86_400_000);
    timer.cancel();
    vi.advanceTimersByTime(40 * 86_400_000);
    expect(action).not.toHaveBeenCalled();
  });
});
