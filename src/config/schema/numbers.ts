import { formatDuration, parseDuration } from "../../duration.ts";
import { type Facts, refuse, type Setting, setting } from "./setting.ts";

/** A whole number. With `default: undefined` the setting may be absent, and the text `none` says so. */
export function wholeNumber<const D extends number | undefined>(
  facts: Facts & { readonly default: D; readonly min: number; readonly max?: number },
): Setting<number | D, ""> {
  const { min, max = Number.MAX_SAFE_INTEGER } = facts;
  const rule = facts.max === undefined ? `${min} or more` : `${min} to ${max}`;
  return setting<number | D, "">(facts, {
    default: facts.default,
    rule: facts.default === undefined ? `${rule}, or none` : rule,
    unit: "",
    parse: (value, place) => {
      if (facts.default === undefined && value === "none") return facts.default;
      const number = readNumber(value);
      if (number !== undefined && Number.isInteger(number) && number >= min && number <= max) return number;
      return refuse(place, `must be a whole number, ${rule}`, value);
    },
    format: (value) => (value === undefined ? "" : String(value)),
  });
}

/** A number with a fraction. */
export function decimal(
  facts: Facts & { readonly default: number; readonly min: number; readonly max: number },
): Setting<number, ""> {
  const { min, max } = facts;
  return setting<number, "">(facts, {
    default: facts.default,
    rule: `${min} to ${max}`,
    unit: "",
    parse: (value, place) => {
      const number = readNumber(value);
      if (number !== undefined && number >= min && number <= max) return number;
      return refuse(place, `must be a number from ${min} to ${max}`, value);
    },
    format: String,
  });
}

/** A duration, kept in milliseconds. Default range: 1s to 1h. */
export function duration(
  facts: Facts & { readonly default: string; readonly min?: string; readonly max?: string },
): Setting<number, "ms"> {
  const { min = "1s", max = "1h" } = facts;
  const minMs = parseDuration(min, { what: "min", minMs: 0 });
  const maxMs = parseDuration(max, { what: "max" });
  const rule = `${min} to ${max}`;
  return setting<number, "ms">(facts, {
    default: parseDuration(facts.default, { what: "default", minMs, maxMs }),
    rule,
    unit: "ms",
    parse: (value, place) => {
      const ms = readDuration(value);
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
      return refuse(place, `must be a duration with a unit, such as 250ms, 10m or 1h30m, from ${rule}`, value);
    },
    format: formatDuration,
  });
}

const BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const SIZE = /^(\d+) ?(B|KiB|MiB|GiB)?$/;

/** A number of bytes: `65536`, `64KiB`. */
export function bytes(
  facts: Facts & { readonly default: number; readonly min: number; readonly max: number },
): Setting<number, "bytes"> {
  const { min, max } = facts;
  const rule = `${formatBytes(min)} to ${formatBytes(max)}`;
  return setting<number, "bytes">(facts, {
    default: facts.default,
    rule,
    unit: "bytes",
    parse: (value, place) => {
      const size = readBytes(value);
      if (size !== undefined && size >= min && size <= max) return size;
      return refuse(place, `must be a number of bytes, such as 65536, 64KiB or 1GiB, from ${rule}`, value);
    },
    format: formatBytes,
  });
}

/** A number of calls in a minute: `100`, `100/min`. */
export function perMinute(
  facts: Facts & { readonly default: number; readonly min: number; readonly max: number },
): Setting<number, "per minute"> {
  const { min, max } = facts;
  return setting<number, "per minute">(facts, {
    default: facts.default,
    rule: `${min}/min to ${max}/min`,
    unit: "per minute",
    parse: (value, place) => {
      const number = readNumber(typeof value === "string" ? value.replace(/\/min$/, "") : value);
      if (number !== undefined && Number.isInteger(number) && number >= min && number <= max) return number;
      return refuse(place, `must be a whole number in a minute, ${min} to ${max}`, value);
    },
    format: (value) => `${value}/min`,
  });
}

const YES_NO = new Map<unknown, boolean>([true, "true", "1", 1].map((yes) => [yes, true]));
for (const no of [false, "false", "0", 0]) YES_NO.set(no, false);

/** True or false. */
export function yesNo(facts: Facts & { readonly default: boolean }): Setting<boolean, ""> {
  return setting<boolean, "">(facts, {
    default: facts.default,
    rule: "true, false",
    unit: "",
    parse: (value, place) => YES_NO.get(value) ?? refuse(place, "must be true or false", value),
    format: String,
  });
}

function readNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function readDuration(value: unknown): number | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  try {
    return parseDuration(value, { what: "", minMs: 0 });
  } catch {
    return undefined;
  }
}

function readBytes(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? value : undefined;
  const [, count, unit = "B"] = (typeof value === "string" ? SIZE.exec(value.trim()) : undefined) ?? [];
  return count === undefined ? undefined : Number(count) * BYTES[unit as keyof typeof BYTES];
}

function formatBytes(size: number): string {
  const unit = (["GiB", "MiB", "KiB"] as const).find((name) => size > 0 && size % BYTES[name] === 0);
  return unit === undefined ? String(size) : `${size / BYTES[unit]}${unit}`;
}
