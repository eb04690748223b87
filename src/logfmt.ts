import { errorText, toErrorRecord } from "./error.ts";

/** Pairs in the order in which they are written. `undefined` leaves a pair out. */
export type Pairs = Readonly<Record<string, unknown>>;

/** What every line of the log says. */
export interface LogEvent {
  /** Unix milliseconds; a fraction becomes the digits below. */
  readonly ts: number;
  readonly level: LogLevel;
  /** The part of the program that speaks: `cli`, `engine`, `ssh`, … */
  readonly component: string;
  /** The verb: `doctor`, `windows.exec`, `jobs.enqueue`, … */
  readonly op: string;
  readonly msg: string;
  /** `trace_id`, `job_id`, `duration_ms`, `err` and whatever else helps. */
  readonly fields?: Pairs;
}

/** How bad it is. */
export type LogLevel = "info" | "warn" | "error";

/** Writes events of one component, a line each. */
export interface Logger {
  info(op: string, msg: string, fields?: Pairs): void;
  warn(op: string, msg: string, fields?: Pairs): void;
  error(op: string, msg: string, fields?: Pairs): void;
}

/**
 * Writes pairs as `key=value` with single spaces: the one rule for log lines and for lines on stdout.
 *
 * A value that is empty or holds a space, `"`, `=`, `\`, a control or a non-ASCII character is double-quoted, with `\n`,
 * `\t`, `\"`, `\\` and `\uXXXX` (UTF-16, lower-case); any other stands bare. So the output is ASCII and one line.
 *
 * Texts, numbers and booleans stand as they are, `null` as `null`, a date as RFC 3339, an error as `CODE: message`, any
 * other value as JSON. What may not stand in a key becomes `_`; a key that would come twice gets a `_` behind it.
 *
 * @param redact masks secrets, before anything is quoted.
 */
export function formatPairs(pairs: Pairs, redact: (text: string) => string = (text) => text): string {
  const keys = new Set<string>();
  const written: string[] = [];
  for (const [name, value] of Object.entries(pairs)) {
    if (value === undefined) continue;
    let key = redact(name).replace(/[^A-Za-z0-9_.-]/g, "_") || "_";
    while (keys.has(key)) key += "_";
    keys.add(key);
    written.push(`${key}=${quote(redact(textOf(value)))}`);
  }
  return written.join(" ");
}

/** Writes one line of the log, with the line's end: `ts`, `level`, `component`, `op`, `msg`, then the fields in their order. */
export function formatLogLine(event: LogEvent, redact?: (text: string) => string): string {
  const { ts, level, component, op, msg, fields = {} } = event;
  const head = formatPairs({ ts: formatTimestamp(ts), level, component, op });
  // The head is ours and holds no secret; its keys are reserved, so a field of the same name is written with a `_` behind it.
  const reserved = Object.entries(fields).map(([key, value]) => [
    Object.hasOwn(RESERVED, key) ? `${key}_` : key,
    value,
  ]);
  return `${head} ${formatPairs(Object.fromEntries([["msg", msg], ...reserved]), redact)}\n`;
}

/**
 * Writes a time as RFC 3339 in UTC with nanosecond digits: `2026-11-21T13:17:29.123456000Z`.
 *
 * @param unixMs Unix milliseconds, 0 to the year 9999.
 */
export function formatTimestamp(unixMs: number): string {
  const wholeMs = Math.floor(unixMs);
  const belowMs = Math.floor((unixMs - wholeMs) * 1e6);
  return `${new Date(wholeMs).toISOString().slice(0, -1)}${String(belowMs).padStart(6, "0")}Z`;
}

/** What {@link createLogger} stands on. */
export interface LoggerOptions {
  /** Takes one line with its end; usually to stderr. */
  readonly write: (line: string) => void;
  /** Unix milliseconds, with a fraction where the clock has one. */
  readonly now: () => number;
  readonly component: string;
  /** Masks secrets in messages and fields. */
  readonly redact?: (text: string) => string;
}

/** Makes the logger of one component. */
export function createLogger({ write, now, component, redact }: LoggerOptions): Logger {
  const log =
    (level: LogLevel) =>
    (op: string, msg: string, fields: Pairs = {}): void =>
      write(formatLogLine({ ts: now(), level, component, op, msg, fields }, redact));
  return { info: log("info"), warn: log("warn"), error: log("error") };
}

const RESERVED = { ts: 0, level: 0, component: 0, op: 0, msg: 0 };
const NEEDS_QUOTES = /^$|[^\x21-\x7e]|["=\\]/;
const ESCAPED = /["\\]|[^\x20-\x7e]/g;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\" };

function quote(text: string): string {
  if (!NEEDS_QUOTES.test(text)) return text;
  const written = (unit: string): string => SHORT[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `"${text.replace(ESCAPED, written)}"`;
}

function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) {
    const record = toErrorRecord(value);
    return record.code === "INTERNAL" ? record.message : errorText(record);
  }
  try {
    if (value instanceof Date) return value.toISOString();
    return JSON.stringify(value) ?? "";
  } catch {
    // A circle, a bigint inside, or a date that is none: a log line must never be the thing that fails.
    return Object.prototype.toString.call(value);
  }
}
