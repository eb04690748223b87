import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Duration, formatDuration, parseDuration } from "./duration.ts";

const MAX_MS = 366 * 86_400_000;
const read = (value: Duration) => parseDuration(value, { what: "--delay" });

describe("durations", () => {
  test.each([
    ["250ms", 250],
    ["1s", 1_000],
    ["90s", 90_000],
    ["1m30s", 90_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["0.25s", 250],
    ["0.1s0.2s", 300],
    ["366d", MAX_MS],
    [1, 1],
    [MAX_MS, MAX_MS],
  ])("%j is %d ms", (value, ms) => {
    expect(read(value)).toBe(ms);
  });

  test.each([
    [0, "out of range"],
    [-1, "out of range"],
    ["0s", "out of range"],
    [Number.NaN, "NaN is not a duration"],
    [Number.POSITIVE_INFINITY, "Infinity is not a duration"],
    [1.5, "not a whole number of milliseconds"],
    ["0.5ms", "not a whole number of milliseconds"],
    ["367d", "out of range; it must be 1ms to 366d"],
    [MAX_MS + 1, "out of range"],
    ["99999999999999999999d", "out of range"],
    ["abc", "is not a duration"],
    ["1x", "is not a duration"],
    ["", "is not a duration"],
    [" ", "is not a duration"],
    ["10", "is not a duration"],
    ["-5s", "is not a duration"],
    ["+5s", "is not a duration"],
    ["5 s", "is not a duration"],
    ["5S", "is not a duration"],
    [" 5s", "is not a duration"],
    ["5s ", "is not a duration"],
    ["5s\n", "is not a duration"],
    ["1h-30m", "is not a duration"],
    ["1e3s", "is not a duration"],
    [".5s", "is not a duration"],
    ["1.s", "is not a duration"],
    ["s", "is not a duration"],
    ["10msx", "is not a duration"],
    ["x10ms", "is not a duration"],
  ] as const)("%j is refused and what it is for is named", (value, part) => {
    expect(() => read(value)).toThrowError(
      expect.objectContaining({ code: "INVALID_DURATION", message: expect.stringMatching(/^--delay: /) }),
    );
    expect(() => read(value)).toThrowError(part);
  });

  test.each([null, undefined, true, {}, ["5s"]])("%j, which JSON may hold, is refused", (value) => {
    expect(() => read(value as unknown as Duration)).toThrowError(
      expect.objectContaining({ code: "INVALID_DURATION" }),
    );
  });

  test("both bounds are allowed and what lies outside is not", () => {
    const bounds = { what: "worker.lease", minMs: 1_000, maxMs: 300_000 };
    expect(parseDuration("1s", bounds)).toBe(1_000);
    expect(parseDuration("5m", bounds)).toBe(300_000);
    expect(() => parseDuration(999, bounds)).toThrowError("worker.lease: 999 is out of range; it must be 1s to 5m");
    expect(() => parseDuration(300_001, bounds)).toThrowError("out of range");
    expect(parseDuration("0s", { what: "worker.kill_grace", minMs: 0 })).toBe(0);
  });

  test("what is written is read back, in the largest units", () => {
    expect([0, 1, 999, 1_000, 90_000, 86_400_000, 90_061_001].map(formatDuration)).toEqual([
      "0s",
      "1ms",
      "999ms",
      "1s",
      "1m30s",
      "1d",
      "1d1h1m1s1ms",
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_MS }), (ms) => {
        expect(parseDuration(formatDuration(ms), { what: "x", minMs: 0 })).toBe(ms);
      }),
    );
  });

  test("whatever the text is, there is a whole number inside the bounds or a refusal", () => {
    const piece = fc.oneof(
      fc.constantFrom("ms", "s", "m", "h", "d", ".", "-", " ", "e"),
      fc.nat(999).map(String),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
          fc.double(),
        ),
        (value) => {
          try {
            const ms = read(value);
            expect(Number.isInteger(ms) && ms >= 1 && ms <= MAX_MS).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: "INVALID_DURATION" });
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
