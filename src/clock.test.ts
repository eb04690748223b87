import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { settle, TestClock } from "../test/support/clock.ts";
import { every, onAbort, pause, settlesWithin, systemClock, unlessAborted, withDeadline } from "./clock.ts";

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

/** Says what has become of a promise by now. */
async function stateOf(work: Promise<unknown>): Promise<string> {
  const state = work.then(
    (value) => `resolved ${String(value)}`,
    (reason: unknown) => `rejected ${reason instanceof Error ? reason.message : String(reason)}`,
  );
  return Promise.race([state, settle().then(() => "pending")]);
}

const never = (): Promise<never> => new Promise(() => {});

describe("pause", () => {
  test("lasts as long as it is told", async () => {
    const clock = new TestClock();
    const paused = pause(clock, 1_000);
    await clock.advance(999);
    expect(await stateOf(paused)).toBe("pending");
    await clock.advance(1);
    expect(await stateOf(paused)).toBe("resolved undefined");
  });

  test("ends without an error when the signal fires, at once where it has fired", async () => {
    const clock = new TestClock();
    const stop = new AbortController();
    const paused = pause(clock, 1_000, stop.signal);
    expect(await stateOf(paused)).toBe("pending");
    stop.abort("stopped");
    expect(await stateOf(paused)).toBe("resolved undefined");
    expect(await stateOf(pause(clock, 1_000, stop.signal))).toBe("resolved undefined");
  });
});

test("every acts at each turn until it is told to stop, the last turn included", async () => {
  const clock = new TestClock();
  let turns = 0;
  const stop = every(clock, 100, () => {
    if (++turns === 4) stop();
  });
  await clock.advance(99);
  expect(turns).toBe(0);
  await clock.advance(201);
  expect(turns).toBe(3);
  await clock.advance(1_000);
  expect(turns).toBe(4);
});

test.each([
  ["well", () => Promise.resolve(1), true],
  ["badly", () => Promise.reject(new Error("broken")), true],
  ["not at all", never, false],
])("settlesWithin says whether work was settled in time: %s", async (_name, work, expected) => {
  const clock = new TestClock();
  const settled = settlesWithin(clock, 100, work());
  await clock.advance(100);
  expect(await settled).toBe(expected);
});

describe("withDeadline", () => {
  const reasonOf = (signal: AbortSignal): Promise<never> => unlessAborted(never(), signal);

  test("fires its signal when time has run out, with TIMEOUT unless it is told another reason", async () => {
    const clock = new TestClock();
    const limits = { clock, timeoutMs: 100 };
    const plain = withDeadline(limits, reasonOf);
    const other = withDeadline(limits, reasonOf, () => new Error("too late"));
    const settled = Promise.allSettled([plain, other]);
    await clock.advance(100);
    expect((await settled).map((end) => end.status === "rejected" && end.reason)).toEqual([
      expect.objectContaining({ code: "TIMEOUT", message: "it did not end within 100 ms" }),
      new Error("too late"),
    ]);
  });

  test("fires its signal with the caller's, and the caller's reason", async () => {
    const clock = new TestClock();
    const stop = new AbortController();
    const work = withDeadline({ clock, timeoutMs: 100, signal: stop.signal }, reasonOf);
    stop.abort(new Error("stopped"));
    expect(await stateOf(work)).toBe("rejected stopped");
    expect(await stateOf(withDeadline({ clock, timeoutMs: 100, signal: stop.signal }, reasonOf))).toBe(
      "rejected stopped",
    );
  });

  test("settles as the work does, and fires nothing afterwards", async () => {
    const clock = new TestClock();
    const stop = new AbortController();
    let inside: AbortSignal | undefined;
    const work = withDeadline({ clock, timeoutMs: 100, signal: stop.signal }, async (signal) => {
      inside = signal;
      return "done";
    });
    expect(await work).toBe("done");
    await clock.advance(1_000);
    stop.abort();
    expect(inside?.aborted).toBe(false);
  });
});

describe("unlessAborted", () => {
  test.each([
    ["resolves", () => Promise.resolve("done"), "resolved done"],
    ["rejects", () => Promise.reject(new Error("broken")), "rejected broken"],
  ])("%s as the work does", async (_name, work, expected) => {
    expect(await stateOf(unlessAborted(work(), new AbortController().signal))).toBe(expected);
  });

  test("rejects with the reason of the signal, even where the work is done too", async () => {
    const stop = new AbortController();
    const left = unlessAborted(never(), stop.signal);
    stop.abort(new Error("stopped"));
    expect(await stateOf(left)).toBe("rejected stopped");
    expect(await stateOf(unlessAborted(Promise.resolve("done"), stop.signal))).toBe("rejected stopped");
  });

  test("work that fails after it was left breaks nothing", async () => {
    const stop = new AbortController();
    const { promise, reject } = Promise.withResolvers<void>();
    const left = unlessAborted(promise, stop.signal);
    stop.abort(new Error("stopped"));
    reject(new Error("broken later"));
    expect(await stateOf(left)).toBe("rejected stopped");
  });
});

test("onAbort acts once, at once where the signal has fired, and no more when it was disposed of", () => {
  const stop = new AbortController();
  const [heard, forgotten, late] = [vi.fn(), vi.fn(), vi.fn()];
  onAbort(stop.signal, heard);
  onAbort(stop.signal, forgotten)[Symbol.dispose]();
  stop.abort();
  onAbort(stop.signal, late);
  expect([heard, forgotten, late].map(({ mock }) => mock.calls.length)).toEqual([1, 0, 1]);
});
