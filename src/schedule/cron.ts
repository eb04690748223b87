import { Cron as CronerCron } from "croner";
import { type Fields, parseFields, refuse } from "./field.ts";
import { findChange, locate, parseTimeZone, type TimeZone } from "./time-zone.ts";

/** A cron line that was read and found sound. Made by {@link parseCron}. */
export interface Cron {
  /** The line as it was given, with single spaces. */
  readonly expression: string;
  /** The IANA name as it was given. */
  readonly timeZone: string;
  /** The first matching local time after another one; both as if they were UTC. */
  readonly nextWall: (wallMs: number) => number | undefined;
  readonly zone: TimeZone;
  /** What happens to local times that come twice or never; see {@link nextInstant}. */
  readonly onRepeat: "first" | "both";
  readonly onGap: "after" | "skip";
}

/** Longer than any change of a clock: even the islands that crossed the date line moved theirs by 24 hours. */
const CHANGE_MAX_MS = 26 * 3_600_000;
/** Croner looks no further than the year 3000; a year of room for offsets. */
const LAST_MS = Date.UTC(2999, 0, 1);
const EARLIEST_MS = Date.UTC(1970, 0, 1) - 1;

/**
 * Reads a cron line of five fields (minute, hour, day-of-month, month, day-of-week) for a time zone.
 *
 * A line with both days restricted matches on either of them, as in crontab(5). Sunday is 0, 7 or `SUN`.
 *
 * @param timeZone an IANA name; default `UTC`.
 * @throws AppError `INVALID_CRON` naming the field and the value, an unknown time zone, or a line that never comes true.
 */
export function parseCron(expression: string, timeZone = "UTC"): Cron {
  const fields = parseFields(expression);
  const zone = parseTimeZone(timeZone);
  const cron: Cron = {
    expression: expression.trim().split(/\s+/).join(" "),
    timeZone,
    nextWall: wallReader(fields),
    zone,
    onRepeat: fields.hour.repeating ? "both" : "first",
    onGap: fields.hour.repeating && fields.hour.values.size === 24 ? "skip" : "after",
  };
  if (cron.nextWall(EARLIEST_MS) === undefined) {
    refuse(cron.expression, "never comes true; no month that it names has such a day");
  }
  return Object.freeze(cron);
}

/**
 * The first instant of a cron line after a time; `undefined` when there is none before the year 2999.
 *
 * When the clock is set forward, local times in the gap come due at the first instant after it (several meet there and
 * are one instant); a line for every hour only goes on, because its next hour is there at once. When the clock is set back, a line with fixed hours comes
 * due once, at the first of the two; one whose hour field holds a star or a step comes due at both, so that it keeps its
 * pace in real time.
 *
 * Croner itself treats a line as fixed only when minute and hour are single values, and skips lists and ranges in the
 * gap; so croner only finds local times here and the rules above are ours.
 *
 * @param afterMs Unix milliseconds; the result is greater. Times before 1970 count as 1970.
 */
export function nextInstant(cron: Cron, afterMs: number): number | undefined {
  const { zone } = cron;
  let after = Math.max(Math.floor(afterMs), EARLIEST_MS);
  if (!(after < LAST_MS)) return undefined;
  const offset = zone.offsetAt(after);
  let wall = after + offset;
  const later = zone.offsetAt(after + CHANGE_MAX_MS);
  if (later < offset) {
    // The clock is about to be set back, and local time will not tell what comes first. So: first what lies before the change …
    const change = findChange(zone, after, after + CHANGE_MAX_MS);
    const next = cron.nextWall(wall);
    if (next !== undefined && next - offset < change) return next - offset;
    // … then what lies behind it, with the repeated local times or without them.
    after = change - 1;
    wall = change + (cron.onRepeat === "both" ? later : offset) - 1;
  }
  for (;;) {
    const next = cron.nextWall(wall);
    if (next === undefined) return undefined;
    const instant = instantOf(cron, next, after);
    if (instant !== undefined && instant > after) return instant;
    wall = next;
  }
}

/**
 * The instants of a cron line after `fromMs`, up to and including `toMs`, oldest first.
 *
 * @param max stops after this many.
 */
export function instantsBetween(cron: Cron, fromMs: number, toMs: number, max: number): readonly number[] {
  const instants: number[] = [];
  let after = fromMs;
  while (instants.length < max) {
    const next = nextInstant(cron, after);
    if (next === undefined || next > toMs) break;
    instants.push(next);
    after = next;
  }
  return instants;
}

function wallReader(fields: Fields): Cron["nextWall"] {
  const line = [fields.minute, fields.hour, fields.dayOfMonth, fields.month, fields.dayOfWeek].map(
    (field) => field.text,
  );
  // A fixed offset of zero keeps croner out of time zones and off Intl: 4 µs a call instead of 40.
  const croner = new CronerCron(line.join(" "), { mode: "5-part", utcOffset: 0 });
  return (wallMs) => croner.nextRun(new Date(wallMs))?.getTime();
}

function instantOf(cron: Cron, wallMs: number, afterMs: number): number | undefined {
  const found = locate(cron.zone, wallMs);
  switch (found.kind) {
    case "once":
      return found.at;
    case "twice":
      return cron.onRepeat === "first" || found.first > afterMs ? found.first : found.second;
    case "gap":
      return cron.onGap === "after" ? found.end : undefined;
  }
}
