import type { ErrorCode, WindlassClient } from "../../../src/index.ts";

/** A call of the library that must be refused, with the code and what the message names. */
export interface Refusal {
  readonly what: string;
  readonly call: (client: WindlassClient) => Promise<unknown>;
  readonly code: ErrorCode;
  readonly says: string;
}

/** One refusal: what is wrong, the call, and the code and words of its error. */
export function one(what: string, call: Refusal["call"], [code, says]: readonly [ErrorCode, string]): Refusal {
  return { what, call, code, says };
}

/** A refusal of each call with these options, named by them. */
export function each(
  call: string,
  code: ErrorCode,
  rows: readonly (readonly [options: unknown, says: string])[],
  make: (client: WindlassClient, options: never) => Promise<unknown>,
): Refusal[] {
  return rows.map(([options, says]) => ({
    what: `${call} ${Object.entries(options as object)
      .map(([key, value]) => `${key}: ${shown(value)}`)
      .join(", ")}`,
    call: (client) => make(client, options as never),
    code,
    says,
  }));
}

function shown(value: unknown): string {
  return value instanceof Date || typeof value === "object"
    ? JSON.stringify(value)
    : `${typeof value} ${String(value)}`;
}

/** A wrong time span, whatever it is for. */
const BAD_SPANS: readonly unknown[] = [
  ...[0, -5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5, 367 * 86_400_000],
  ...["soon", "", " ", "0s", "-1m", "367d", "10", "10 m", "1h30", "1M", "1e3ms", "٣s"],
  ...[null, true, {}, [], 10n, new Date(0)],
];

/** That option with each of them. */
export const spans = (name: string, says = name): (readonly [object, string])[] =>
  BAD_SPANS.map((span) => [{ [name]: span }, says]);
