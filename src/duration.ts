import { AppError } from "./error.ts";

/** A time span: a text with units (`250ms`, `10m`, `1h30m`, `7d`) or a number of milliseconds. */
export type Duration = string | number;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** What a duration is for and how long it may be; both ends are allowed. */
export interface DurationBounds {
  /** Named in the error, such as `--delay` or `worker.lease`. */
  readonly what: string;
  /** Default 1. */
  readonly minMs?: number;
  /** Default 366 days. */
  readonly maxMs?: number;
}

/**
 * Reads a duration as whole milliseconds.
 *
 * @throws AppError `INVALID_DURATION` for other text, NaN, a fraction of a millisecond, and what is out of bounds.
 */
export function parseDuration(value: Duration, bounds: DurationBounds): number {
  const { what, minMs = 1, maxMs = 366 * 86_400_000 } = bounds;
  // Definitions and configuration are not type-checked at run time, so a value of any kind may come here.
  const ms = typeof value === "number" ? value : typeof value === "string" ? readUnits(value) : undefined;
  const shown = typeof value === "number" || typeof value === "bigint" ? String(value) : JSON.stringify(value);
  if (ms === undefined || !Number.isFinite(ms)) {
    throw new AppError(
      "INVALID_DURATION",
      `${what}: ${shown} is not a duration; write a number with a unit, such as 250ms, 10m, 1h30m or 7d`,
    );
  }
  if (!Number.isInteger(ms)) {
    throw new AppError("INVALID_DURATION", `${what}: ${shown} is not a whole number of milliseconds`);
  }
  if (ms < minMs || ms > maxMs) {
    throw new AppError(
      "INVALID_DURATION",
      `${what}: ${shown} is out of range; it must be ${formatDuration(minMs)} to ${formatDuration(maxMs)}`,
    );
  }
  return ms;
}

/** Writes milliseconds in the largest units that say them exactly: `90000` is `1m30s`, `0` is `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  let left = ms;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const size = UNIT_MS[unit] ?? 1;
    const count = Math.floor(left / size);
    if (count === 0) continue;
    text += `${count}${unit}`;
    left -= count * size;
  }
  return text === "" ? `${ms}ms` : text;
}

function readUnits(text: string): number | undefined {
  let ms = 0;
  let end = 0;
  for (const part of text.matchAll(PART)) {
    if (part.index !== end) return undefined;
    ms += Number(part[1]) * (UNIT_MS[part[2] ?? ""] ?? Number.NaN);
    end += part[0].length;
  }
  // 0.1s * 3 and the like: what is left of a binary fraction is no part of a millisecond.
  return end === 0 || end !== text.length ? undefined : Math.round(ms * 1e6) / 1e6;
}
