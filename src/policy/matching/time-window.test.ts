import fc from "fast-check";
import { expect, test } from "vitest";
import { isOpen, isTimeZone, type TimeWindow } from "./time-window.ts";

const WORK: TimeWindow = { days: ["mon", "fri"], fromMinute: 480, toMinute: 1080, timeZone: "Europe/Berlin" };
const NIGHT: TimeWindow = { days: ["fri"], fromMinute: 22 * 60, toMinute: 6 * 60, timeZone: "UTC" };
const LEAP: TimeWindow = { fromMinute: 150, toMinute: 180, timeZone: "Europe/Berlin" };

test.each([
  // 2026-11-20 is a Friday; Berlin is an hour ahead of UTC then, and two in summer.
  [WORK, "2026-11-20T07:00:00Z", true],
  [WORK, "2026-11-20T06:59:59Z", false],
  [WORK, "2026-11-20T16:59:59Z", true],
  [WORK, "2026-11-20T17:00:00Z", false],
  [WORK, "2026-11-21T10:00:00Z", false],
  [WORK, "2026-07-17T06:00:00Z", true],
  [WORK, "2026-07-17T16:00:00Z", false],
  [NIGHT, "2026-11-20T21:59:00Z", false],
  [NIGHT, "2026-11-20T22:00:00Z", true],
  [NIGHT, "2026-11-21T05:59:00Z", true],
  [NIGHT, "2026-11-21T06:00:00Z", false],
  [NIGHT, "2026-11-21T22:30:00Z", false],
  [NIGHT, "2026-11-20T02:00:00Z", false],
  // In the night of 2026-03-29 clocks in Berlin go from 02:00 to 03:00: there is no half past two.
  [LEAP, "2026-03-29T00:59:00Z", false],
  [LEAP, "2026-03-29T01:00:00Z", false],
  // In that of 2026-10-25 there are two.
  [LEAP, "2026-10-25T00:30:00Z", true],
  [LEAP, "2026-10-25T01:30:00Z", true],
])("%j at %s: %s", (window, at, open) => expect(isOpen(window, Date.parse(at))).toBe(open));

test("a window and the rest of the day are never open together, nor closed", () => {
  const minute = fc.integer({ min: 0, max: 1439 });
  const time = fc.integer({ min: Date.UTC(2020), max: Date.UTC(2030) });
  fc.assert(
    fc.property(
      minute,
      minute,
      time,
      fc.constantFrom("UTC", "Asia/Kathmandu"),
      (fromMinute, toMinute, at, timeZone) => {
        fc.pre(fromMinute !== toMinute);
        const rest = isOpen({ fromMinute: toMinute, toMinute: fromMinute, timeZone }, at);
        expect(isOpen({ fromMinute, toMinute, timeZone }, at)).toBe(!rest);
      },
    ),
  );
});

test("no window is open at a time that no calendar has", () => {
  for (const at of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1, -8.65e15]) expect(isOpen(LEAP, at)).toBe(false);
});

test("names of time zones", () => {
  expect(["UTC", "Europe/Berlin", "Mars/Olympus", ""].map(isTimeZone)).toEqual([true, true, false, false]);
});
