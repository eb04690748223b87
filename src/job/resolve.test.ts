import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { isAppError } from "../error.ts";
import { defineJob } from "./definition.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { SubmitOptions } from "./options.ts";
import { type ResolveRequest, resolveJob } from "./resolve.ts";

const NOW = Date.UTC(2026, 10, 21);
const DAY = 86_400_000;

const request = (
  fields: object = {},
  options: SubmitOptions = {},
  more: Partial<ResolveRequest> = {},
): ResolveRequest => ({
  type: "app.a",
  rules: defineJob({ name: "app.a", input: z.unknown(), ...fields }).rules,
  inputJson: "{}",
  parsed: {},
  secrets: [],
  options,
  limits: DEFAULT_LIMITS,
  nowMs: NOW,
  ...more,
});
const refusal = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

describe("what a type declares and a call says, resolved", () => {
  test("with nothing said the configured limits hold", () => {
    expect(resolveJob(request())).toEqual({
      type: "app.a",
      inputJson: "{}",
      requires: {},
      rules: {
        timeoutMs: 600_000,
        retries: 3,
        backoff: { firstMs: 5_000, factor: 2, capMs: 3_600_000, jitter: 0.2 },
        crashesMax: 3,
        historyRowsMax: 1_000,
        recordsEffects: false,
      },
      afterCrash: "rerun",
      retryOnExit: false,
      priority: 2,
      keys: [],
      metadata: {},
      secrets: [],
    });
  });

  test("jobs of a type share one object of rules, and another type or other limits have another", () => {
    const one = request();
    expect(resolveJob(one).rules).toBe(resolveJob({ ...one, options: { priority: 3 } }).rules);
    expect(resolveJob({ ...one, limits: { ...DEFAULT_LIMITS, crashesMax: 1 } }).rules.crashesMax).toBe(1);
    expect(resolveJob(one).rules).toEqual(resolveJob(request()).rules);
  });

  test("what the call says comes before the type, and the type before the limits", () => {
    const fields = { timeout: { default: "1m", max: "2m" }, deadline: "1h", retries: 5, priority: 1, queuedMax: 9 };
    expect(resolveJob(request(fields))).toMatchObject({
      rules: { timeoutMs: 60_000, retries: 5 },
      deadlineInMs: 3_600_000,
      priority: 1,
      queuedMax: 9,
    });
    const options = { timeout: "90s", deadline: "2h", retries: 2, priority: 3 } as const;
    expect(resolveJob(request(fields, options))).toMatchObject({
      timeoutMs: 90_000,
      deadlineInMs: 7_200_000,
      retries: 2,
      priority: 3,
    });
  });

  test("a time of its own is a due time, a delay is not", () => {
    expect(resolveJob(request({}, { delay: "5s" }))).toMatchObject({ delayMs: 5_000 });
    expect(resolveJob(request({}, { runAt: new Date(NOW + 5) }))).toMatchObject({ dueMs: NOW + 5 });
    expect(resolveJob(request({}, { delay: "5s" }))).not.toHaveProperty("dueMs");
  });

  test("an idempotency key keeps the type's window and the input's digest", () => {
    const idempotency = { window: "1h" };
    expect(
      resolveJob(request({ idempotency }, { idempotencyKey: "k", fresh: true }, { inputDigest: "d" })),
    ).toMatchObject({
      idempotency: { key: "k", digest: "d", windowMs: 3_600_000, fresh: true },
    });
  });
});

describe("a call stays inside its type", () => {
  test.each<[SubmitOptions, object, string, string]>([
    [{ timeout: "3m" }, { timeout: { max: "2m" } }, "INVALID_DURATION", "timeout of app.a"],
    [{ retries: 4 }, { retries: 3 }, "INVALID_INPUT", "app.a allows 0 to 3"],
    [{ retries: -1 }, {}, "INVALID_INPUT", "retries is -1"],
    [{ retries: 1.5 }, {}, "INVALID_INPUT", "retries is 1.5"],
    [{ priority: 0 as 1 }, {}, "INVALID_INPUT", "priority is 0"],
    [{ afterCrash: "rerun" }, { afterCrash: "check" }, "INVALID_INPUT", "only be stricter"],
    [{ retryOn: "exit" }, {}, "INVALID_INPUT", "no exit status"],
    [{ delay: "1s", runAt: new Date() }, {}, "INVALID_INPUT", "give one of them"],
    [{ runAt: new Date(NOW + 367 * DAY) }, {}, "INVALID_INPUT", "366 days"],
    [{ delay: "367d" }, {}, "INVALID_DURATION", "delay"],
    [{ expiresIn: "0s" }, {}, "INVALID_DURATION", "expires_in"],
    [{ deadline: "soon" }, {}, "INVALID_DURATION", "deadline"],
    [{ traceId: "with a space" }, {}, "INVALID_INPUT", "trace_id"],
    [{ idempotencyKey: "" }, {}, "INVALID_INPUT", "idempotency_key"],
    [{ requires: { site: "b" } }, { requires: { site: "a" } }, "INVALID_INPUT", "requires.site is b"],
    [{ metadata: { "": "x" } }, {}, "TOO_LARGE", "metadata key"],
  ])("%j of %j is %s", (options, fields, code, text) => {
    expect(() => resolveJob(request(fields, options))).toThrowError(refusal(code, text));
  });

  test("labels are added, and the type's own may be said again", () => {
    const requires = { site: "a", gpu: "yes" };
    expect(resolveJob(request({ requires: { site: "a" } }, { requires })).requires).toEqual(requires);
    // Names that every object has are labels like others.
    const odd = { constructor: "x" } as unknown as Readonly<Record<string, string>>;
    expect(resolveJob(request({}, { requires: odd })).requires).toEqual(odd);
  });

  test("whatever is asked for, what comes out keeps the type's rules or a coded error says why not", () => {
    const asked = fc.record(
      {
        timeout: fc.oneof(fc.integer(), fc.constantFrom("1s", "1h", "nonsense")),
        retries: fc.oneof(fc.integer({ min: -2, max: 20 }), fc.double()),
        priority: fc.constantFrom(0, 1, 2, 3, 4) as fc.Arbitrary<1 | 2 | 3>,
        afterCrash: fc.constantFrom("rerun", "check", "stop"),
        delay: fc.oneof(fc.integer(), fc.string()),
        deadline: fc.integer({ min: -5, max: 400 * DAY }),
        expiresIn: fc.integer({ min: -5, max: 400 * DAY }),
        metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 }),
        traceId: fc.string(),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<SubmitOptions>;
    const fields = { timeout: { default: "30s", max: "1m" }, retries: 5, afterCrash: "check" };
    fc.assert(
      fc.property(asked, (options) => {
        try {
          const spec = resolveJob(request(fields, options));
          expect(spec.timeoutMs ?? 30_000).toBeLessThanOrEqual(60_000);
          expect(spec.retries ?? 5).toBeLessThanOrEqual(5);
          expect(spec.afterCrash).not.toBe("rerun");
          expect([1, 2, 3]).toContain(spec.priority);
          for (const ms of [spec.delayMs, spec.deadlineInMs, spec.expiresInMs, spec.timeoutMs])
            if (ms !== undefined) expect(ms > 0 && ms <= 366 * DAY).toBe(true);
        } catch (error) {
          expect(isAppError(error), String(error)).toBe(true);
        }
      }),
    );
  });
});
