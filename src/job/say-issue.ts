import type { z } from "zod";
import { hintFor } from "./nearest.ts";

type Issue = z.core.$ZodRawIssue;

/**
 * Says what is wrong with a value in a few words that follow its name: `must be at most 3`. For the option `error` of a
 * parse; what a schema says itself comes first. Never repeats the value, which may be a secret.
 */
export function sayIssue(issue: Issue): string | undefined {
  if (issue.code === "unrecognized_keys") return sayUnknownKeys(issue);
  if (issue.code === "too_big") return `must ${limit(issue, "at most", issue.maximum)}`;
  if (issue.code === "too_small")
    return isEmpty(issue) ? "must not be empty" : `must ${limit(issue, "at least", issue.minimum)}`;
  if (issue.code !== "invalid_type" && issue.code !== "invalid_value") return undefined;
  if (issue.input === undefined) return "is missing";
  return `must be ${issue.code === "invalid_type" ? (KINDS[issue.expected] ?? issue.expected) : oneOf(issue.values)}`;
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

const UNITS: Readonly<Record<string, string>> = { string: "characters", array: "entries", set: "entries" };

function limit({ origin }: { readonly origin: string }, bound: string, size: number | bigint): string {
  const unit = UNITS[origin];
  return unit === undefined ? `be ${bound} ${size}` : `have ${bound} ${size} ${unit}`;
}

function isEmpty({ minimum, input }: { readonly minimum: number | bigint; readonly input?: unknown }): boolean {
  return Number(minimum) === 1 && (input === "" || (Array.isArray(input) && input.length === 0));
}

function oneOf(values: readonly unknown[]): string {
  const words = values.map(String);
  return words.length === 1 ? (words[0] ?? "") : `one of ${words.join(", ")}`;
}

function sayUnknownKeys({ keys, inst }: Extract<Issue, { readonly code: "unrecognized_keys" }>): string {
  const def = (inst as z.ZodObject | undefined)?._zod.def;
  const known = def !== undefined && "shape" in def ? Object.keys(def.shape) : [];
  return keys
    .map((key) => (known.length === 0 ? `has no field ${key}` : `has no field ${key}; ${hintFor(key, known)}`))
    .join("; ");
}
