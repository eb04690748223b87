import { AppError } from "../error.ts";

/** The clock on the wall somewhere: how far local time is ahead of UTC at an instant, from the IANA data of the runtime. */
export interface TimeZone {
  readonly name: string;
  /** Local time minus UTC at an instant; both in milliseconds. */
  offsetAt(unixMs: number): number;
}

const DAY_MS = 86_400_000;
const OFFSET = /GMT(?:([+\-\u2212])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/**
 * Reads the name of a time zone.
 *
 * @throws AppError `INVALID_CRON` for a name that the runtime does not know, and for a bare offset such as `+02:00`, which
 * would silently ignore daylight saving.
 */
export function parseTimeZone(name: string): TimeZone {
  const format = /^[a-z]/i.test(name) ? makeFormat(name) : undefined;
  if (format === undefined) {
    const near = nearestZone(name);
    throw new AppError(
      "INVALID_CRON",
      `cron time zone ${JSON.stringify(name)} is not an IANA time zone; ${near === undefined ? "write one such as UTC or Europe/Berlin" : `did you mean ${near}?`}`,
    );
  }
  return {
    name,
    offsetAt: (unixMs) => {
      const [, sign, hours = "0", minutes = "0", seconds = "0"] = OFFSET.exec(format.format(unixMs)) ?? [];
      const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
      return sign === undefined || sign === "+" ? ms : -ms;
    },
  };
}

/** What a local time is in real time. Instants in Unix milliseconds. */
export type WallTime =
  | { readonly kind: "once"; readonly at: number }
  /** The clock was set back: the local time comes a second time. */
  | { readonly kind: "twice"; readonly first: number; readonly second: number }
  /** The clock was set forward: the local time never comes; `end` is the first instant after the gap. */
  | { readonly kind: "gap"; readonly end: number };

/**
 * Finds a local time on the real time line.
 *
 * @param wallMs the local date and time, written as if it were UTC.
 */
export function locate(zone: TimeZone, wallMs: number): WallTime {
  // No zone is further than 15 hours from UTC, so these two instants lie on either side of whatever change matters here.
  const before = zone.offsetAt(wallMs - DAY_MS);
  const after = zone.offsetAt(wallMs + DAY_MS);
  if (before === after) return { kind: "once", at: wallMs - before };
  const early = wallMs - before;
  const late = wallMs - after;
  const earlyIsReal = zone.offsetAt(early) === before;
  const lateIsReal = zone.offsetAt(late) === after;
  if (earlyIsReal && lateIsReal) return { kind: "twice", first: early, second: late };
  if (earlyIsReal) return { kind: "once", at: early };
  if (lateIsReal) return { kind: "once", at: late };
  return { kind: "gap", end: findChange(zone, wallMs - DAY_MS, wallMs + DAY_MS) };
}

/** The first instant after `fromMs`, at most at `toMs`, at which the offset is another one; the offsets at both ends must differ. */
export function findChange(zone: TimeZone, fromMs: number, toMs: number): number {
  const old = zone.offsetAt(fromMs);
  let low = fromMs;
  let high = toMs;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone.offsetAt(middle) === old) low = middle;
    else high = middle;
  }
  return high;
}

function makeFormat(name: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch {
    return undefined; // The runtime's only way to say that it does not know the name.
  }
}

function nearestZone(name: string): string | undefined {
  const asked = name.trim().toLowerCase().replaceAll(" ", "_");
  return Intl.supportedValuesOf("timeZone").find(
    (zone) => zone.toLowerCase() === asked || zone.toLowerCase().endsWith(`/${asked}`),
  );
}
