import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideRate, type RateState } from "./rate.ts";

const START = 1_700_000_000_000;
const rule = fc.record({ units: fc.integer({ min: 1, max: 50 }), perMs: fc.integer({ min: 1, max: 3_600_000 }) });
const gaps = fc.array(
  fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 4_000_000 })),
  {
    minLength: 1,
    maxLength: 120,
  },
);

/** The times of the starts, when somebody asks after each gap. */
function startsOf(times: readonly number[], limit: { units: number; perMs: number }): readonly number[] {
  let state: RateState | undefined;
  return times.filter((nowMs) => {
    const decision = decideRate(state, limit, nowMs);
    state = decision.state;
    return decision.kind === "start";
  });
}

function timesOf(each: readonly number[]): readonly number[] {
  let nowMs = START;
  return each.map((gap) => {
    nowMs += gap;
    return nowMs;
  });
}

describe("a rate limit", () => {
  test("never lets more start in any span than its units and what the span refills", () => {
    fc.assert(
      fc.property(rule, gaps, (limit, each) => {
        const starts = startsOf(timesOf(each), limit);
        for (let from = 0; from < starts.length; from++)
          for (let to = from; to < starts.length; to++) {
            const spanMs = (starts[to] ?? 0) - (starts[from] ?? 0);
            expect(to - from + 1).toBeLessThanOrEqual(limit.units + (spanMs / limit.perMs) * limit.units + 1e-6);
          }
      }),
    );
  });

  test("lets its units start at once, and again after a full span of rest", () => {
    fc.assert(
      fc.property(rule, ({ units, perMs }) => {
        const burst = Array.from({ length: units + 1 }, () => START);
        const later = Array.from({ length: units + 1 }, () => START + 2 * perMs);
        expect(startsOf([...burst, ...later], { units, perMs })).toEqual([
          ...Array.from({ length: units }, () => START),
          ...Array.from({ length: units }, () => START + 2 * perMs),
        ]);
      }),
    );
  });

  test("who must wait is told a time later than now, and those who wait are told times one after the other", () => {
    fc.assert(
      fc.property(rule, fc.integer({ min: 1, max: 40 }), (limit, waiting) => {
        let state: RateState | undefined;
        const told: number[] = [];
        for (let n = 0; n < limit.units + waiting; n++) {
          const decision = decideRate(state, limit, START);
          state = decision.state;
          if (decision.kind === "wait") told.push(decision.untilMs);
        }
        expect(told.length).toBe(waiting);
        expect(told[0]).toBeGreaterThan(START);
        for (const [index, untilMs] of told.entries()) expect(untilMs).toBeGreaterThanOrEqual(told[index - 1] ?? 0);
        // No later than its turn: the n-th who waits, after n intervals.
        for (const [index, untilMs] of told.entries())
          expect(untilMs).toBeLessThanOrEqual(START + Math.ceil(((index + 1) * limit.perMs) / limit.units) + 1);
      }),
    );
  });

  test("everybody who comes back when told starts then", () => {
    fc.assert(
      fc.property(rule, fc.integer({ min: 1, max: 30 }), (limit, extra) => {
        let state: RateState | undefined;
        let queue = Array.from({ length: limit.units + extra }, () => START);
        let rounds = 0;
        while (queue.length > 0 && rounds++ < 500) {
          const nowMs = Math.min(...queue);
          const index = queue.indexOf(nowMs);
          const decision = decideRate(state, limit, nowMs);
          state = decision.state;
          queue = queue.filter((_, other) => other !== index);
          if (decision.kind === "wait") queue.push(decision.untilMs);
        }
        expect(queue).toEqual([]);
        // Each waits once or is off by a rounding of a millisecond.
        expect(rounds).toBeLessThanOrEqual(limit.units + 3 * extra);
      }),
    );
  });

  test("a clock that was set back gives nobody a unit twice", () => {
    fc.assert(
      fc.property(rule, fc.integer({ min: 1, max: 10_000_000 }), ({ units, perMs }, backMs) => {
        const starts = startsOf(
          [...Array.from({ length: units }, () => START), ...Array.from({ length: units }, () => START - backMs)],
          { units, perMs },
        );
        expect(starts.length).toBe(units);
      }),
    );
  });
});
