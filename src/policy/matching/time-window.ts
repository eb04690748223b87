/** The days of a week as a policy writes them, in the order of `Date`. */
export const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/** A time of the week. */
export interface TimeWindow {
  /** Default: every day. A window over midnight belongs to the day on which it begins. */
  readonly days?: readonly (typeof WEEKDAYS)[number][];
  /** Minutes since midnight, 0 to 1,439. */
  readonly fromMinute: number;
  /** Minutes since midnight, 1 to 1,440; the minute itself is outside. Before `fromMinute`: over midnight. */
  readonly toMinute: number;
  /** An IANA name. */
  readonly timeZone: string;
}

/** The range of `Date`. */
const TIME_MAX_MS = 8.64e15;

/** True while a window is open. No window is open at a time that no calendar has. */
export function isOpen({ days, fromMinute, toMinute, timeZone }: TimeWindow, nowMs: number): boolean {
  if (!(Math.abs(nowMs) <= TIME_MAX_MS)) return false;
  const { weekday, minute } = localTime(nowMs, timeZone);
  const isOvernight = toMinute <= fromMinute;
  const isAfterMidnight = isOvernight && minute < toMinute;
  const isInside = isOvernight ? minute >= fromMinute || isAfterMidnight : minute >= fromMinute && minute < toMinute;
  const day = WEEKDAYS[(weekday + (isAfterMidnight ? 6 : 0)) % 7] ?? "sun";
  return isInside && (days === undefined || days.includes(day));
}

/** True for a name that this machine's tables of time zones have. */
export function isTimeZone(name: string): boolean {
  try {
    formatterOf(name);
    return true;
  } catch {
    return false;
  }
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one costs a hundred times as much as using it. */
function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
  formatters.set(timeZone, made);
  return made;
}

function localTime(nowMs: number, timeZone: string): { readonly weekday: number; readonly minute: number } {
  const parts = new Map(
    formatterOf(timeZone)
      .formatToParts(nowMs)
      .map(({ type, value }) => [type, value]),
  );
  const weekday = WEEKDAYS.indexOf((parts.get("weekday") ?? "").toLowerCase() as (typeof WEEKDAYS)[number]);
  return { weekday, minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
}
