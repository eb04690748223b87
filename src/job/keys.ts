import { AppError } from "../error.ts";
import type { TypeRules } from "./rules.ts";
import type { KeyNeed } from "./spec.ts";

/** The value at a dotted path of a parsed input; `undefined` where there is none. */
export function valueAt(input: unknown, path: string): unknown {
  let value = input;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/**
 * The concurrency keys and locks that a job needs, by its type's rules and its parsed input; no key where the input has
 * no value for it. The same name twice counts once, with the smaller limit.
 *
 * @throws AppError `INVALID_INPUT` when the value at a path is an object or a list.
 */
export function keyNeeds(type: string, rules: TypeRules, input: unknown): readonly KeyNeed[] {
  if (rules.concurrency.length === 0 && rules.locks.length === 0) return [];
  const needs = new Map<string, KeyNeed>();
  for (const rule of rules.concurrency) {
    const value = rule.key === undefined ? "" : textAt(type, input, rule.key);
    if (value === undefined) continue;
    const key = rule.key === undefined ? type : `${type}/${rule.key}=${value}`;
    const known = needs.get(key);
    if (known === undefined || known.limit > rule.limit)
      needs.set(key, { key, limit: rule.limit, strategy: rule.strategy });
  }
  for (const lock of rules.locks) {
    const key = fillLock(type, lock, input);
    if (key !== undefined) needs.set(key, { key, limit: 1, strategy: "queue" });
  }
  return [...needs.values()];
}

/** The name of the bucket that a job's starts are taken from. */
export function rateKey(type: string, rules: TypeRules, input: unknown): string | undefined {
  const rule = rules.rateLimit;
  if (rule === undefined) return undefined;
  if (rule.key === undefined) return type;
  const value = textAt(type, input, rule.key);
  return value === undefined ? undefined : `${type}/${rule.key}=${value}`;
}

function fillLock(type: string, lock: string, input: unknown): string | undefined {
  let missing = false;
  const name = lock.replace(/<([^>]+)>/g, (_, path: string) => {
    const value = textAt(type, input, path);
    missing ||= value === undefined;
    return value ?? "";
  });
  return missing ? undefined : `lock:${name}`;
}

function textAt(type: string, input: unknown, path: string): string | undefined {
  const value = valueAt(input, path);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "object") {
    throw new AppError(
      "INVALID_INPUT",
      `input.${path}: ${type} uses it as a key, so it must be a text, a number or a boolean`,
    );
  }
  return String(value);
}
