import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cron, instantsBetween, nextInstant, parseCron } from "./cron.ts";
import { parseFields } from "./field.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What a cron line fires between two UTC times, as UTC texts without seconds. */
const fired = (line: string, zone: string, from: string, to: string): readonly string[] =>
  instantsBetween(parseCron(line, zone), Date.parse(from) - 1, Date.parse(to), 1000).map((at) =>
    new Date(at).toISOString().slice(5, 16).replace("T", " "),
  );

describe("spring: the clock is set forward", () => {
  const berlin = (line: string) => fired(line, "Europe/Berlin", "2026-03-28T23:00Z", "2026-03-29T03:00Z");

  test("fixed times in the gap come due at the first instant after it, once", () => {
    expect(berlin("30 2 * * *")).toEqual(["03-29 01:00"]);
    expect(berlin("*/15 2 * * *")).toEqual(["03-29 01:00"]);
    expect(berlin("0,30 2,3 * * *")).toEqual(["03-29 01:00", "03-29 01:30"]);
    expect(berlin("15 1-3 * * *")).toEqual(["03-29 00:15", "03-29 01:00", "03-29 01:15"]);
  });

  test("a line for every hour goes on without an extra job", () => {
    expect(berlin("30 * * * *")).toEqual(["03-28 23:30", "03-29 00:30", "03-29 01:30", "03-29 02:30"]);
    expect(berlin("*/30 0-23/1 * * *")).toHaveLength(9);
  });

  test("a step that leaves hours out does not lose the slot in the gap", () => {
    expect(berlin("0 */2 * * *")).toEqual(["03-28 23:00", "03-29 01:00", "03-29 02:00"]);
    // Cairo's clock goes forward at midnight: without the rule, a line with a step of 24 hours would lose the day.
    expect(fired("0 */24 * * *", "Africa/Cairo", "2026-04-23T00:00Z", "2026-04-24T20:00Z")).toEqual(["04-23 22:00"]);
  });

  test("New York and Lord Howe, whose clock moves by half an hour", () => {
    expect(fired("30 2 * * *", "America/New_York", "2026-03-08T00:00Z", "2026-03-09T00:00Z")).toEqual(["03-08 07:00"]);
    const lordHowe = (line: string) => fired(line, "Australia/Lord_Howe", "2026-10-03T14:00Z", "2026-10-03T17:00Z");
    expect(lordHowe("15 2 * * *")).toEqual(["10-03 15:30"]);
    expect(lordHowe("*/30 * * * *")).toEqual(
      ["14:00", "14:30", "15:00", "15:30", "16:00", "16:30", "17:00"].map((t) => `10-03 ${t}`),
    );
  });
});

describe("autumn: the clock is set back", () => {
  const berlin = (line: string) => fired(line, "Europe/Berlin", "2026-10-24T23:00Z", "2026-10-25T03:00Z");

  test("fixed times come due once, at the first of the two", () => {
    expect(berlin("30 2 * * *")).toEqual(["10-25 00:30"]);
    expect(berlin("*/30 2 * * *")).toEqual(["10-25 00:00", "10-25 00:30"]);
    expect(berlin("30 1-3 * * *")).toEqual(["10-24 23:30", "10-25 00:30", "10-25 02:30"]);
  });

  test("a star or a step in the hour field comes due at each real interval", () => {
    expect(berlin("30 * * * *")).toEqual(["10-24 23:30", "10-25 00:30", "10-25 01:30", "10-25 02:30"]);
    expect(berlin("0 */2 * * *")).toEqual(["10-25 00:00", "10-25 01:00", "10-25 03:00"]);
    expect(berlin("* * * * *")).toHaveLength(241);
  });

  test("New York and Lord Howe", () => {
    expect(fired("30 1 * * *", "America/New_York", "2026-11-01T00:00Z", "2026-11-02T00:00Z")).toEqual(["11-01 05:30"]);
    const lordHowe = (line: string) => fired(line, "Australia/Lord_Howe", "2026-04-04T14:00Z", "2026-04-04T16:30Z");
    expect(lordHowe("45 1 * * *")).toEqual(["04-04 14:45"]);
    expect(lordHowe("45 * * * *")).toEqual(["04-04 14:45", "04-04 15:15", "04-04 16:15"]);
  });
});

describe("days", () => {
  test("with both days restricted either is enough; with one, that one counts", () => {
    const june = (line: string) => fired(line, "UTC", "2026-06-01T00:00Z", "2026-06-30T23:59Z");
    expect(june("0 0 13 * FRI")).toEqual(["06-05 00:00", "06-12 00:00", "06-13 00:00", "06-19 00:00", "06-26 00:00"]);
    expect(june("0 0 13 * *")).toEqual(["06-13 00:00"]);
    expect(june("0 0 * * 7")).toEqual(june("0 0 * * SUN"));
  });

  test("a leap day is found over the century that has none", () => {
    expect(new Date(nextInstant(parseCron("0 0 29 2 *"), Date.UTC(2096, 5, 1)) ?? 0).toISOString()).toContain(
      "2104-02-29",
    );
  });

  test.each(["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 FEB *"])("%s never comes true and is refused", (line) => {
    expect(() => parseCron(line)).toThrowError(
      expect.objectContaining({
        code: "INVALID_CRON",
        message: `cron "${line}": never comes true; no month that it names has such a day`,
      }),
    );
  });

  test("the line is kept as given with single spaces, the zone as given", () => {
    expect(parseCron("  0\t0  1 jan * ", "europe/berlin")).toMatchObject({
      expression: "0 0 1 jan *",
      timeZone: "europe/berlin",
    });
    expect(parseCron("0 0 * * *").timeZone).toBe("UTC");
  });

  test("times far away end the search and never throw", () => {
    const cron = parseCron("0 0 * * *", "Europe/Berlin");
    expect(nextInstant(cron, Number.NEGATIVE_INFINITY)).toBe(Date.UTC(1970, 0, 1, 23));
    expect(
      [Date.UTC(3000, 0, 1), 8.64e15, Number.POSITIVE_INFINITY, Number.NaN].map((at) => nextInstant(cron, at)),
    ).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe("every line in every zone", () => {
  /** Around changes of the clock: both seasons, half an hour, at midnight, twice within weeks, a lost day, a change of standard time. */
  const places: readonly (readonly [zone: string, ...days: string[]])[] = [
    ["Europe/Berlin", "2026-03-29", "2026-10-25", "2026-07-01"],
    ["America/New_York", "2026-03-08", "2026-11-01"],
    ["Australia/Lord_Howe", "2026-04-04", "2026-10-03"],
    ["America/St_Johns", "2011-03-13", "2010-11-07"],
    ["Africa/Cairo", "2026-04-24", "2026-10-29"],
    ["America/Havana", "2026-03-08", "2026-11-01"],
    ["Africa/Casablanca", "2026-02-15", "2026-03-22"],
    ["Pacific/Apia", "2011-12-30"],
    ["America/Caracas", "2007-12-09", "2016-05-01"],
    ["Asia/Pyongyang", "2015-08-15", "2018-05-05"],
    ["UTC", "2026-12-31"],
  ];
  const place = fc.constantFrom(
    ...places.flatMap(([zone, ...days]) => days.map((day) => ({ zone, at: Date.parse(day) }))),
  );
  const number = (min: number, max: number) => fc.integer({ min, max }).map(String);
  const range = (min: number, max: number) =>
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const field = (min: number, max: number) => {
    const item = fc.oneof(
      number(min, max),
      range(min, max),
      fc.tuple(fc.oneof(fc.constant("*"), range(min, max)), number(1, Math.min(max, 7))).map(([a, b]) => `${a}/${b}`),
    );
    return fc.oneof(
      fc.constant("*"),
      item,
      fc.array(item, { minLength: 2, maxLength: 3 }).map((items) => items.join(",")),
    );
  };
  const often = <T>(value: T, other: fc.Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, other);
  const line = fc
    .tuple(field(0, 59), field(0, 23), often("*", field(1, 28)), often("*", field(1, 12)), often("*", field(0, 7)))
    .map((fields) => fields.join(" "));

  test("fires exactly what a walk over every real minute with a wall clock in hand finds", () => {
    fc.assert(
      fc.property(line, place, fc.integer({ min: -DAY_MS, max: DAY_MS }), (text, { zone, at }, shift) => {
        const cron = parseCron(text, zone);
        const from = at + shift;
        const to = from + DAY_MS;
        expect(instantsBetween(cron, from, to, 10_000)).toEqual(walk(cron, from, to));
      }),
      { numRuns: 400 },
    );
  });

  test("the next instant is later, and asking from anywhere before it finds the same one", () => {
    fc.assert(
      fc.property(
        line,
        place,
        fc.integer({ min: -DAY_MS, max: DAY_MS }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (text, { zone, at }, shift, part) => {
          const cron = parseCron(text, zone);
          const after = at + shift;
          const next = nextInstant(cron, after) ?? Number.NaN;
          expect(next).toBeGreaterThan(after);
          expect(nextInstant(cron, after + Math.floor((next - 1 - after) * part))).toBe(next);
          expect(nextInstant(cron, next)).toBeGreaterThan(next);
        },
      ),
    );
  });
});

/** The promise in its plainest form, to hold the real code against. */
function walk(cron: Cron, fromMs: number, toMs: number): readonly number[] {
  const fields = parseFields(cron.expression);
  const matches = (wallMs: number) => matchesFields(fields, new Date(wallMs));
  const seen = new Set<number>();
  const instants: number[] = [];
  const start = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS - 2 * DAY_MS;
  let previousWall = Number.NaN;
  for (let at = start; at <= toMs; at += MINUTE_MS) {
    const wall = at + cron.zone.offsetAt(at);
    let due = matches(wall) && (fields.hour.repeating || !seen.has(wall));
    if (!(fields.hour.repeating && fields.hour.values.size === 24)) {
      for (let lost = previousWall + MINUTE_MS; lost < wall; lost += MINUTE_MS) due ||= matches(lost);
    }
    if (due && at > fromMs) instants.push(at);
    seen.add(wall);
    previousWall = wall;
  }
  return instants;
}

function matchesFields(fields: ReturnType<typeof parseFields>, wall: Date): boolean {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = fields;
  if (!minute.values.has(wall.getUTCMinutes()) || !hour.values.has(wall.getUTCHours())) return false;
  if (!month.values.has(wall.getUTCMonth() + 1)) return false;
  const byMonth = dayOfMonth.values.has(wall.getUTCDate());
  const byWeek = dayOfWeek.values.has(wall.getUTCDay()) || (wall.getUTCDay() === 0 && dayOfWeek.values.has(7));
  if (dayOfMonth.text === "*") return byWeek;
  return dayOfWeek.text === "*" ? byMonth : byMonth || byWeek;
}
