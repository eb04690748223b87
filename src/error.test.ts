import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AppError,
  ERRORS,
  type ErrorCode,
  errorText,
  exitStatusOf,
  isAppError,
  isErrorCode,
  toErrorRecord,
} from "./error.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];

describe("the table of errors", () => {
  test.each(codes)("%s has a name in capitals, an exit status and an HTTP status that a client can act on", (code) => {
    const rule = ERRORS[code];
    expect(code).toMatch(/^[A-Z][A-Z_]*[A-Z]$/);
    expect([1, 2, 3, 4]).toContain(rule.exit);
    expect(rule.http).toBeGreaterThanOrEqual(400);
    expect(rule.http).toBeLessThan(600);
  });

  test("what ran out of time exits 4, what cannot be reached 3, what was asked wrongly 2", () => {
    const exits = (status: number) => codes.filter((code) => exitStatusOf(code) === status);
    expect(exits(4)).toEqual(["TIMEOUT", "DEADLINE_EXCEEDED", "WAIT_TIMEOUT"]);
    expect(exits(3)).toEqual([
      ...["RUNNER_FAILED", "RUNNER_LOST", "SSH_AUTH_REFUSED", "SSH_HOST_KEY", "HOST_UNREACHABLE"],
      ...["APPROVAL_UNVERIFIED", "PREREQUISITE_MISSING", "PLAYWRIGHT_VERSION_MISMATCH", "PLAYWRIGHT_PATH_REJECTED"],
      ...["DATABASE_BUSY", "DATABASE_FULL", "COMMIT_UNKNOWN"],
    ]);
    expect(exits(2)).toEqual(
      expect.arrayContaining(["USAGE", "CONFIG", "INVALID_INPUT", "INVALID_CRON", "UNSUPPORTED"]),
    );
  });

  test("what the caller got wrong is never tried again", () => {
    const wrong = codes.filter((code) => ERRORS[code].http === 400 || ERRORS[code].http === 422);
    expect(wrong.filter((code) => ERRORS[code].retry !== "never")).toEqual([]);
  });
});

describe("an error", () => {
  test("is known by its code, whichever copy of the class made it", () => {
    const foreign = Object.assign(new Error("no"), { code: "TIMEOUT" });
    expect(isAppError(foreign)).toBe(true);
    expect(toErrorRecord(foreign)).toEqual({ code: "TIMEOUT", message: "no" });
    expect(isAppError(Object.assign(new Error("no"), { code: "ENOENT" }))).toBe(false);
    expect(isAppError({ code: "TIMEOUT", message: "no" })).toBe(false);
  });

  test("is recorded with its details and without its cause", () => {
    const error = new AppError("TIMEOUT", "took 10s", { details: { limitMs: 5 }, cause: new Error("inner") });
    expect(error.cause).toBeInstanceOf(Error);
    expect(toErrorRecord(error)).toEqual({ code: "TIMEOUT", message: "took 10s", details: { limitMs: 5 } });
    expect(toErrorRecord(new AppError("TIMEOUT", "x"))).toEqual({ code: "TIMEOUT", message: "x" });
    expect(errorText(error)).toBe("TIMEOUT: took 10s");
  });

  test("that is not ours gets the fallback as its code", () => {
    expect(toErrorRecord(new TypeError("bad"))).toEqual({ code: "INTERNAL", message: "bad" });
    expect(toErrorRecord(new RangeError(), "HANDLER_FAILED")).toEqual({
      code: "HANDLER_FAILED",
      message: "RangeError",
    });
    expect(toErrorRecord("plain", "HANDLER_FAILED")).toEqual({ code: "HANDLER_FAILED", message: "plain" });
    expect(toErrorRecord(undefined)).toEqual({ code: "INTERNAL", message: "undefined" });
  });

  test("whatever was thrown, there is a record with texts in it", () => {
    const hostile = [
      Object.create(null),
      {
        toString: () => {
          throw new TypeError("no text");
        },
      },
      Object.assign(new Error("x"), { message: { not: "a text" } }),
      Object.assign(new Error("x"), { name: 7, message: "" }),
      Symbol("s"),
      Object.assign(new Error("x"), { code: "TIMEOUT", details: null }),
      new Proxy(new Error("x"), {
        get: () => {
          throw new TypeError("no");
        },
      }),
    ];
    const anything = fc.oneof(fc.constantFrom(...hostile), fc.anything({ withNullPrototype: true, withBigInt: true }));
    fc.assert(
      fc.property(anything, (thrown) => {
        const record = toErrorRecord(thrown);
        expect(typeof record.message).toBe("string");
        expect(isErrorCode(record.code)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("with a code that this version does not know exits 1", () => {
    expect(exitStatusOf("FROM_THE_FUTURE")).toBe(1);
    expect(["toString", "constructor", "", 7, null].some(isErrorCode)).toBe(false);
  });
});
