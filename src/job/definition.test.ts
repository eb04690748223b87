import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineJob } from "./definition.ts";
import { defineDurableJob } from "./durable/define-durable-job.ts";

/** A definition with only the fields that matter, as plain JavaScript would write it. */
const define = (fields: Readonly<Record<string, unknown>> = {}) =>
  defineJob({ name: "app.send-mail", input: z.strictObject({ to: z.string() }), ...fields });

describe("a job type", () => {
  test("needs a name and an input; the rest has defaults", () => {
    const type = define();
    expect(type).toMatchObject({ kind: "plain", name: "app.send-mail", version: "1" });
    expect(type.rules).toEqual({
      timeoutMaxMs: 86_400_000,
      afterCrash: "rerun",
      afterCrashByCaller: false,
      retryOnExit: false,
      recordsEffects: false,
      concurrency: [],
      locks: [],
      idempotencyWindowMs: 86_400_000,
      requires: {},
      secrets: [],
      priority: 2,
    });
    expect(type.result.parse({ any: ["value"] })).toEqual({ any: ["value"] });
  });

  test("cannot be changed after it was defined", () => {
    expect(Object.isFrozen(define())).toBe(true);
  });

  test("has its durations as milliseconds, whichever way they were written", () => {
    const { rules } = define({
      timeout: { default: "90s", max: "1h" },
      deadline: "2d",
      retries: 0,
      backoff: { first: 250, factor: 3, cap: "1m", jitter: 0 },
      rateLimit: { key: "to", units: 10, per: "1m" },
      idempotency: { window: "7d" },
    });
    expect(rules).toMatchObject({
      timeoutMs: 90_000,
      timeoutMaxMs: 3_600_000,
      deadlineMs: 172_800_000,
      retries: 0,
      backoff: { firstMs: 250, factor: 3, capMs: 60_000, jitter: 0 },
      rateLimit: { key: "to", units: 10, perMs: 60_000 },
      idempotencyWindowMs: 604_800_000,
    });
  });

  test("that has a cron line without a zone runs by UTC", () => {
    expect(define({ cron: "0 3 * * *" }).rules.cron).toEqual({ expression: "0 3 * * *", timeZone: "UTC" });
    const berlin = { expression: "0 3 * * *", timeZone: "Europe/Berlin" };
    expect(define({ cron: berlin }).rules.cron).toEqual(berlin);
  });

  // Node runs a user's TypeScript without checking it.
  test.each([
    [{ timeout: "1s" }, 'timeout is "1s"; it must be a block of default, max'],
    [{ timeout: { defualt: "1s" } }, "timeout has no field defualt; did you mean default?"],
    [{ retires: 2 }, "has no field retires; did you mean retries?"],
    [{ concurrency: { limit: 1 } }, "concurrency must be a list"],
    [{ concurrency: [{ kye: "a", limit: 1 }] }, "concurrency has no field kye; did you mean key?"],
    [{ secrets: "TOKEN" }, "secrets must be a list"],
    [{ rateLimit: 5 }, "rateLimit is 5; it must be a block of key, units, per"],
    [{ cron: 5 }, "cron is 5; it must be a block of expression, timeZone"],
  ])("that says %j is refused, not read as if it were not there", (wrong, reason) => {
    const definition = { name: "app.wrong", input: z.unknown(), ...(wrong as object) };
    expect(() => defineJob(definition)).toThrow(
      expect.objectContaining({ code: "INVALID_DEFINITION", message: `job type app.wrong: ${reason}` }),
    );
  });

  test("that is durable has no retries of its own", () => {
    const definition = { name: "app.wrong", input: z.unknown(), retries: 2, run: () => 1 };
    expect(() => defineDurableJob(definition)).toThrow("job type app.wrong: has no field retries; there are name,");
  });

  test("is plain data: its rules survive JSON", () => {
    const { rules } = define({
      concurrency: [{ limit: 1 }],
      locks: ["desktop:<host>"],
      queuedMax: 5,
      afterCrash: "stop",
    });
    expect(JSON.parse(JSON.stringify(rules))).toEqual(rules);
  });

  test.each(["exec", "app.send-mail", "a1.b_2.c-3"])("may be called %s", (name) => {
    expect(define({ name }).name).toBe(name);
  });

  test.each(["", "App.mail", "app.", ".app", "app..mail", "1app", "app mail", "app/mail", "app.mail\n"])(
    "may not be called %j",
    (name) => {
      expect(() => define({ name })).toThrowError(
        expect.objectContaining({ code: "INVALID_DEFINITION", message: expect.stringContaining(JSON.stringify(name)) }),
      );
    },
  );
});

describe("a refusal names the type and the field", () => {
  test.each([
    ["retries", { retries: -1 }],
    ["retries", { retries: 1.5 }],
    ["retries", { retries: 101 }],
    ["retries", { retries: "3" }],
    ["queuedMax", { queuedMax: 0 }],
    ["queuedMax", { queuedMax: Number.NaN }],
    ["concurrency.limit", { concurrency: [{ limit: 1 }, { limit: 0 }] }],
    ["concurrency.strategy", { concurrency: [{ limit: 1, strategy: "newest" }] }],
    ["rateLimit.units", { rateLimit: { units: 0, per: "1s" } }],
    ["backoff.factor", { backoff: { factor: 0.5 } }],
    ["backoff.factor", { backoff: { factor: Number.NaN } }],
    ["backoff.jitter", { backoff: { jitter: 1.1 } }],
    ["priority", { priority: 0 }],
    ["priority", { priority: 4 }],
    ["priority", { priority: "high" }],
    ["afterCrash", { afterCrash: "retry" }],
    ["afterCrash", { afterCrash: { field: "method", cases: { GET: "rerun", POST: "never" }, otherwise: "stop" } }],
    ["afterCrash", { afterCrash: { field: "method", cases: {} } }],
    ["secrets", { secrets: ["TOKEN", "apiKey"] }],
  ])("%s: %j", (field, fields) => {
    expect(() => define(fields)).toThrowError(
      expect.objectContaining({
        code: "INVALID_DEFINITION",
        message: expect.stringMatching(new RegExp(`^job type app\\.send-mail: ${field.replace(".", "\\.")} `)),
      }),
    );
  });

  test.each([
    ["timeout.default", { timeout: { default: 0 } }],
    ["timeout.default", { timeout: { default: "2h", max: "1h" } }],
    ["timeout.max", { timeout: { max: "25h" } }],
    ["deadline", { deadline: "367d" }],
    ["deadline", { deadline: "soon" }],
    ["backoff.first", { backoff: { first: -1 } }],
    ["backoff.cap", { backoff: { cap: "25h" } }],
    ["rateLimit.per", { rateLimit: { units: 1, per: "0s" } }],
    ["idempotency.window", { idempotency: { window: "" } }],
  ])("the duration %s: %j", (field, fields) => {
    expect(() => define(fields)).toThrowError(
      expect.objectContaining({
        code: "INVALID_DURATION",
        message: expect.stringMatching(new RegExp(`^job type app\\.send-mail: ${field.replace(".", "\\.")}: `)),
      }),
    );
  });
});
