import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { locate, parseTimeZone } from "./time-zone.ts";

const HOUR_MS = 3_600_000;

describe("time zones", () => {
  test.each([
    ["Europe/Atlantis", "write one such as UTC or Europe/Berlin"],
    ["", "write one such as UTC or Europe/Berlin"],
    ["+02:00", "write one such as UTC or Europe/Berlin"],
    ["berlin", "did you mean Europe/Berlin?"],
    ["new york", "did you mean America/New_York?"],
  ])("%j is refused with a hint", (name, hint) => {
    expect(() => parseTimeZone(name)).toThrowError(
      expect.objectContaining({
        code: "INVALID_CRON",
        message: `cron time zone ${JSON.stringify(name)} is not an IANA time zone; ${hint}`,
      }),
    );
  });

  test("offsets are those of the wall clock, east, west, at half hours and before there were zones", () => {
    const zones = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"];
    const date = fc.date({
      min: new Date("1850-01-01T00:00:00Z"),
      max: new Date("2500-01-01T00:00:00Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(fc.constantFrom(...zones), date, (name, at) => {
        const wall = at.getTime() + parseTimeZone(name).offsetAt(at.getTime());
        expect(new Date(wall).toISOString().slice(0, 19)).toBe(wallText(name, at));
      }),
    );
  });

  test("a local time comes once, twice or never, and what is found reads as that local time", () => {
    const berlin = parseTimeZone("Europe/Berlin");
    expect(locate(berlin, Date.UTC(2026, 6, 1, 12))).toEqual({ kind: "once", at: Date.UTC(2026, 6, 1, 10) });
    expect(locate(berlin, Date.UTC(2026, 2, 29, 2, 30))).toEqual({ kind: "gap", end: Date.UTC(2026, 2, 29, 1) });
    const first = Date.UTC(2026, 9, 25, 0, 30);
    expect(locate(berlin, Date.UTC(2026, 9, 25, 2, 30))).toEqual({ kind: "twice", first, second: first + HOUR_MS });
  });

  test("a day that an island left out is a gap of 24 hours", () => {
    const apia = parseTimeZone("Pacific/Apia");
    for (const hour of [0, 12, 23.99]) {
      const wall = Date.UTC(2011, 11, 30) + Math.round(hour * HOUR_MS);
      expect(locate(apia, wall)).toEqual({ kind: "gap", end: Date.UTC(2011, 11, 30, 10) });
    }
  });
});

function wallText(timeZone: string, at: Date): string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  return format.format(at).replace(" ", "T");
}
