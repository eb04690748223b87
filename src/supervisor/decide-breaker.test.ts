import fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterBad,
  afterGood,
  afterRepair,
  type BreakerLimits,
  type BreakerState,
  beginRepair,
  beginTrial,
  decideRepair,
  decideTurn,
  FRESH,
  isFlapping,
} from "./decide-breaker.ts";

const LIMITS: BreakerLimits = {
  threshold: 3,
  openForMs: 60_000,
  openMaxMs: 900_000,
  windowMs: 1_800_000,
  opensMax: 3,
  repairsMax: 5,
  goodProbes: 2,
};

const fail = (state: BreakerState, nowMs: number, random = 0): BreakerState =>
  afterBad(state, { nowMs, random, limits: LIMITS });
const good = (state: BreakerState, nowMs: number): BreakerState => afterGood(state, nowMs, LIMITS).state;

/** Three failures, a second apart. */
const opened = (state: BreakerState, nowMs: number): BreakerState => fail(fail(fail(state, nowMs), nowMs), nowMs);

test("the third failure in a row opens it for a minute, then there is one probe", () => {
  const two = fail(fail(FRESH, 0), 1_000);
  expect(decideTurn(two, 2_000, LIMITS)).toEqual({ kind: "probe" });
  const open = fail(two, 2_000);
  expect(open).toMatchObject({ failures: 3, openUntilMs: 62_000 });
  expect(decideTurn(open, 61_999, LIMITS)).toEqual({ kind: "wait", untilMs: 62_000 });
  expect(decideTurn(open, 62_000, LIMITS)).toEqual({ kind: "trial" });
  expect(fail(open, 62_000)).toMatchObject({ failures: 4, openUntilMs: 122_000 });
});

test("a good probe between failures starts the count over", () => {
  const state = fail(fail(good(fail(fail(FRESH, 0), 0), 0), 0), 0);
  expect(state).toMatchObject({ failures: 2, openUntilMs: undefined });
});

test("a success after the time that it was open closes it", () => {
  expect(good(opened(FRESH, 0), 60_000)).toMatchObject({ failures: 0, openUntilMs: undefined });
});

test("a supervisor that dies in the one probe has had it", () => {
  const begun = beginTrial(opened(FRESH, 0), 60_000, LIMITS);
  expect(decideTurn(begun, 60_001, LIMITS)).toEqual({ kind: "wait", untilMs: 120_000 });
});

test("a time far ahead was written under another clock and holds nothing up", () => {
  const state = { ...FRESH, failures: 3, openUntilMs: 10_000_000_000, opens: [10_000_000_000] };
  expect(decideTurn(state, 0, LIMITS)).toEqual({ kind: "trial" });
  expect(isFlapping({ ...state, opens: [9e12, 9e12, 9e12, 9e12] }, 0, LIMITS)).toBe(false);
});

test("what goes up and down too often flaps: left alone for longer and longer, and not repaired", () => {
  let state = FRESH;
  let nowMs = 0;
  for (let round = 1; round <= 8; round++) {
    state = opened(state, nowMs);
    const waitMs = (state.openUntilMs ?? 0) - nowMs;
    expect(waitMs, `round ${round}`).toBe(Math.min(900_000, 60_000 * 2 ** Math.max(0, round - 3)));
    expect(isFlapping(state, nowMs, LIMITS)).toBe(round > 3);
    expect(decideRepair({ before: FRESH, state }, nowMs, LIMITS)).toBe(round > 3 ? "flapping" : "open");
    state = good(state, nowMs);
    nowMs += 1_000;
  }
  expect(isFlapping(state, nowMs + LIMITS.windowMs, LIMITS)).toBe(false);
});

test("that it stays open is no flapping", () => {
  let state = opened(FRESH, 0);
  for (let nowMs = 60_000; nowMs < 600_000; nowMs += 60_000) state = fail(state, nowMs);
  expect(isFlapping(state, 600_000, LIMITS)).toBe(false);
  expect(state.opens).toEqual([0]);
});

test("each failure is answered, but not the one that opens it, and only so many in the window", () => {
  const first = fail(FRESH, 0);
  expect(decideRepair({ before: FRESH, state: first }, 0, LIMITS)).toBe("repair");
  const open = opened(FRESH, 0);
  expect(decideRepair({ before: fail(first, 0), state: open }, 0, LIMITS)).toBe("open");
  expect(decideRepair({ before: open, state: fail(open, 60_000) }, 60_000, LIMITS)).toBe("repair");
  const tired = [0, 1, 2, 3, 4].reduce((state, nowMs) => beginRepair(state, nowMs), first);
  expect(decideRepair({ before: FRESH, state: tired }, 5, LIMITS)).toBe("limit");
  expect(decideRepair({ before: FRESH, state: tired }, LIMITS.windowMs, LIMITS)).toBe("repair");
});

test("a threshold of one still lets the first failure be answered", () => {
  const limits = { ...LIMITS, threshold: 1 };
  const state = afterBad(FRESH, { nowMs: 0, random: 0, limits });
  expect(state.openUntilMs).toBe(60_000);
  expect(decideRepair({ before: FRESH, state }, 0, limits)).toBe("repair");
});

test("a repair is proved by good probes in a row; a bad one between them voids what it had proved", () => {
  const repaired = afterRepair(beginRepair(fail(FRESH, 0), 0), LIMITS);
  const once = afterGood(repaired, 1, LIMITS);
  expect(once).toMatchObject({ remediated: false, state: { unproven: 1 } });
  expect(afterGood(once.state, 2, LIMITS)).toMatchObject({ remediated: true, state: { unproven: 0 } });
  expect(fail(once.state, 2).unproven).toBe(2);
  expect(afterGood(afterGood(once.state, 2, LIMITS).state, 3, LIMITS).remediated).toBe(false);
});

type Step = { readonly kind: "good" | "bad" | "repair" } | { readonly kind: "wait"; readonly ms: number };

const anyLimits: fc.Arbitrary<BreakerLimits> = fc.record({
  threshold: fc.integer({ min: 1, max: 5 }),
  openForMs: fc.integer({ min: 1_000, max: 100_000 }),
  openMaxMs: fc.integer({ min: 1_000, max: 1_000_000 }),
  windowMs: fc.integer({ min: 60_000, max: 3_000_000 }),
  opensMax: fc.integer({ min: 1, max: 4 }),
  repairsMax: fc.integer({ min: 0, max: 4 }),
  goodProbes: fc.integer({ min: 1, max: 3 }),
});
const anySteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom("good", "bad", "bad", "repair") as fc.Arbitrary<"good" | "bad" | "repair"> }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 120_000 }) }),
  ),
  { maxLength: 80 },
);

/** What the rules say in so many words, kept without any of the code that is tested. */
class Model {
  failures = 0;
  openUntilMs: number | undefined;
  readonly opens: number[] = [];
  readonly repairs: number[] = [];

  isOpen(nowMs: number): boolean {
    return this.openUntilMs !== undefined && nowMs < this.openUntilMs;
  }
}

test("whatever happens, it does what the rules say", () => {
  const property = fc.property(
    anyLimits,
    anySteps,
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (limits, steps, random) => {
      const model = new Model();
      let state = FRESH;
      let before = FRESH;
      let nowMs = 1_000_000_000;
      for (const step of steps) {
        if (step.kind === "wait") {
          nowMs += step.ms;
          continue;
        }
        if (step.kind === "repair") {
          if (decideRepair({ before, state }, nowMs, limits) !== "repair") continue;
          state = afterRepair(beginRepair(state, nowMs), limits);
          model.repairs.push(nowMs);
          // Bounded in every window, and never while it flaps.
          expect(model.repairs.filter((ms) => ms > nowMs - limits.windowMs).length).toBeLessThanOrEqual(
            limits.repairsMax,
          );
          expect(model.opens.filter((ms) => ms > nowMs - limits.windowMs).length).toBeLessThanOrEqual(limits.opensMax);
          continue;
        }
        const turn = decideTurn(state, nowMs, limits);
        expect(turn.kind === "wait").toBe(model.isOpen(nowMs));
        if (turn.kind === "wait") continue;
        expect(turn.kind === "trial").toBe(model.openUntilMs !== undefined);
        before = state;
        if (step.kind === "good") {
          state = afterGood(state, nowMs, limits).state;
          Object.assign(model, { failures: 0, openUntilMs: undefined });
        } else {
          state = afterBad(state, { nowMs, random, limits });
          model.failures++;
          if (turn.kind === "probe" && model.failures >= limits.threshold) model.opens.push(nowMs);
          const opens = turn.kind === "trial" || model.failures >= limits.threshold;
          expect(state.openUntilMs !== undefined).toBe(opens);
          model.openUntilMs = state.openUntilMs;
          const waitMs = (state.openUntilMs ?? nowMs) - nowMs;
          if (opens) expect(waitMs).toBeGreaterThanOrEqual(Math.min(limits.openForMs, limits.openMaxMs));
          expect(waitMs).toBeLessThanOrEqual(Math.max(limits.openForMs, limits.openMaxMs));
        }
        expect(state.failures).toBe(model.failures);
      }
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test("what is remembered stays small however long it goes on", () => {
  const property = fc.property(
    anyLimits,
    fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 300 }),
    (limits, waits) => {
      let state = FRESH;
      let nowMs = 0;
      for (const waitMs of waits) {
        nowMs += waitMs;
        if (decideTurn(state, nowMs, limits).kind === "wait") continue;
        const before = state;
        state = afterBad(state, { nowMs, random: 0, limits });
        if (decideRepair({ before, state }, nowMs, limits) === "repair") state = beginRepair(state, nowMs);
        expect(state.repairs.length).toBeLessThanOrEqual(limits.repairsMax);
      }
    },
  );
  fc.assert(property);
});
