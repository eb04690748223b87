import { join, resolve } from "node:path";
import { type Facts, type Place, refuse, type Setting, setting } from "./setting.ts";

/**
 * A file or folder, kept absolute: in a file of settings a relative path starts at that file's folder, elsewhere at the
 * working folder. With `default: ""` or `undefined` the setting may be absent.
 */
export function path<const D extends string | undefined>(
  facts: Facts & { readonly default: D; readonly rule?: string },
): Setting<string | D, ""> {
  const takesEmpty = facts.default === "";
  return setting<string | D, "">(facts, {
    default: facts.default,
    rule: facts.rule ?? `a path${takesEmpty ? ', or ""' : ""}`,
    unit: "",
    takesEmpty,
    parse: (value, place) => (takesEmpty && value === "" ? "" : readPath(value, place)),
    format: (value) => value ?? "",
  });
}

/** A path that stays relative, because its start is known only when other settings are. */
export function latePath(facts: Facts & { readonly default: string }): Setting<string, ""> {
  return setting<string, "">(facts, {
    default: facts.default,
    rule: "a path",
    unit: "",
    parse: (value, place) => {
      checkPath(value, place);
      return expandHome(value, place.home);
    },
    format: String,
  });
}

/** Reads a path as an absolute one; `~/` is the home folder. */
export function readPath(value: unknown, place: Place): string {
  checkPath(value, place);
  return resolve(place.folder, expandHome(value, place.home));
}

function checkPath(value: unknown, place: Place): asserts value is string {
  if (typeof value !== "string" || value === "" || value.includes("\0")) refuse(place, "must be a path", value);
}

function expandHome(path: string, home: string): string {
  return path === "~" ? home : path.startsWith("~/") ? join(home, path.slice(2)) : path;
}
