import { readPath } from "./paths.ts";
import { type Facts, type Place, refuse, type Setting, setting } from "./setting.ts";
import { readText, type TextRule } from "./texts.ts";

/** A list of texts: a list in a file, `a,b` in the environment. */
export function list(
  facts: Facts & TextRule & { readonly default: readonly string[] },
): Setting<readonly string[], ""> {
  return setting<readonly string[], "">(facts, {
    default: facts.default,
    rule: facts.rule,
    unit: "",
    takesEmpty: true,
    parse: (value, place) => readItems(value, place).map((item) => readText(item, place, facts)),
    format: (items) => items.join(","),
  });
}

/** A list of files. */
export function pathList(facts: Facts & TextRule): Setting<readonly string[], ""> {
  const items = list({ ...facts, default: [] });
  return { ...items, parse: (value, place) => items.parse(value, place).map((path) => readPath(path, place)) };
}

const LABEL_KEY = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
const LABEL_VALUE = /^[^\p{Cc},]{1,128}$/u;

/** Pairs: a block or a list of `key=value` in a file, `a=b,c=d` in the environment. */
export function labels(facts: Facts): Setting<Readonly<Record<string, string>>, ""> {
  return setting<Readonly<Record<string, string>>, "">(facts, {
    default: {},
    rule: "key=value, separated by commas",
    unit: "",
    takesEmpty: true,
    parse: readLabels,
    format: (pairs) =>
      Object.entries(pairs)
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
  });
}

/** Reads the labels of a worker or a host. */
export function readLabels(value: unknown, place: Place): Readonly<Record<string, string>> {
  const pairs = isBlock(value) ? Object.entries(value) : readItems(value, place).map((item) => splitPair(item, place));
  for (const [key, text] of pairs) {
    if (LABEL_KEY.test(key) && isScalar(text) && LABEL_VALUE.test(String(text))) continue;
    refuse(
      place,
      "must be key=value pairs: a key of letters, digits and ._/-, a value without a comma",
      `${key}=${text}`,
    );
  }
  return Object.fromEntries(pairs.map(([key, text]) => [key, String(text)]));
}

/** True for a block of keys. */
export function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function readItems(value: unknown, place: Place): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== "string") return refuse(place, "must be a list", value);
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function splitPair(item: unknown, place: Place): [string, string] {
  const at = typeof item === "string" ? item.indexOf("=") : -1;
  if (typeof item !== "string" || at < 1) return refuse(place, "must be key=value pairs", item);
  return [item.slice(0, at), item.slice(at + 1)];
}
