import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "../error.ts";
import { backoffDelayMs, decideRetry, type Failure, isRetryable } from "./retry.ts";
import type { BackoffRule } from "./rules.ts";

const rule = fc.record<BackoffRule>({
  firstMs: fc.integer({ min: 1, max: 86_400_000 }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  capMs: fc.integer({ min: 1_000, max: 86_400_000 }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const random = fc.double({ min: 0, max: 1, noNaN: true });
const failures = fc.integer({ min: 1, max: 101 });

const failure = (more: Partial<Failure> = {}): Failure => ({
  retryable: true,
  failures: 1,
  retries: 3,
  backoff: { firstMs: 1_000, factor: 2, capMs: 60_000, jitter: 0 },
  nowMs: 0,
  random: 0.5,
  ...more,
});

describe("the wait after a failure", () => {
  test("is whole milliseconds, never negative and never above the cap", () => {
    fc.assert(
      fc.property(rule, failures, random, (backoff, n, drawn) => {
        const delayMs = backoffDelayMs(backoff, n, drawn);
        expect(Number.isSafeInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(backoff.capMs);
      }),
    );
  });

  test("lies within the share of jitter around the plain wait", () => {
    fc.assert(
      fc.property(rule, failures, random, (backoff, n, drawn) => {
        const plainMs = Math.min(backoff.capMs, backoff.firstMs * backoff.factor ** (n - 1));
        const delayMs = backoffDelayMs(backoff, n, drawn);
        expect(delayMs).toBeGreaterThanOrEqual(Math.floor(plainMs * (1 - backoff.jitter)));
        expect(delayMs).toBeLessThanOrEqual(Math.ceil(plainMs * (1 + backoff.jitter)));
      }),
    );
  });

  test("never shrinks from one failure to the next with the same draw", () => {
    fc.assert(
      fc.property(rule, failures, random, (backoff, n, drawn) => {
        expect(backoffDelayMs(backoff, n + 1, drawn)).toBeGreaterThanOrEqual(backoffDelayMs(backoff, n, drawn));
      }),
    );
  });

  test("is first, first times factor, and so on up to the cap", () => {
    const backoff = { firstMs: 5_000, factor: 2, capMs: 30_000, jitter: 0 };
    expect([1, 2, 3, 4, 99].map((n) => backoffDelayMs(backoff, n, 0.7))).toEqual([
      5_000, 10_000, 20_000, 30_000, 30_000,
    ]);
  });
});

describe("whether an attempt follows", () => {
  test("a job is tried exactly retries times more", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), rule, random, (retries, backoff, drawn) => {
        let tries = 0;
        for (let n = 1; decideRetry(failure({ failures: n, retries, backoff, random: drawn })).kind === "retry"; n++)
          tries++;
        expect(tries).toBe(retries);
      }),
    );
  });

  test("what is not retryable is final at once", () => {
    expect(decideRetry(failure({ retryable: false }))).toEqual({ kind: "final" });
  });

  test("a retry starts before the deadline or not at all", () => {
    fc.assert(
      fc.property(
        rule,
        failures,
        random,
        fc.integer(),
        fc.integer({ min: -1_000, max: 200_000_000 }),
        (backoff, n, drawn, nowMs, left) => {
          const decision = decideRetry(
            failure({ backoff, failures: n, retries: 200, random: drawn, nowMs, deadlineMs: nowMs + left }),
          );
          if (decision.kind === "retry") expect(decision.delayMs).toBeLessThan(left);
          else expect(backoffDelayMs(backoff, n, drawn)).toBeGreaterThanOrEqual(left);
        },
      ),
    );
  });

  test("every error is tried again but one of ours that says never", () => {
    expect(isRetryable(new Error("any"))).toBe(true);
    expect(isRetryable("a text")).toBe(true);
    expect(isRetryable(new AppError("HOST_UNREACHABLE", "away"))).toBe(true);
    expect(isRetryable(new AppError("INVALID_INPUT", "wrong"))).toBe(false);
  });
});
