import { AppError } from "../../error.ts";
import { canonicalJson } from "../canonical-json.ts";
import { valueAt } from "../keys.ts";

/** A value that a match compares with: exactly equal, and of the same type. */
export type MatchValue = string | number | boolean | null;

/** Which events of a name are meant: dotted paths into the payload and the values that must stand there. */
export type EventMatch = Readonly<Record<string, MatchValue>>;

/** A match as an index finds it: which paths it looks at, and the values there. */
export interface MatchKey {
  /** The paths, sorted, as JSON. All matches of one line of code have the same. */
  readonly shape: string;
  /** Their values in that order, as JSON. */
  readonly key: string;
}

/** More than this is no key but a query. */
const PATHS_MAX = 8;
const KEY_MAX = 1_024;

/**
 * The key of a match.
 *
 * @throws AppError `INVALID_INPUT` for a value that is no scalar, too many paths, or values that are too long.
 */
export function matchKey(match: EventMatch): MatchKey {
  const paths = Object.keys(match).sort();
  if (paths.length > PATHS_MAX)
    throw new AppError("INVALID_INPUT", `match has ${paths.length} paths; ${PATHS_MAX} are allowed`);
  const wrong = paths.find((path) => path === "" || !isScalar(match[path]));
  if (wrong !== undefined)
    throw new AppError("INVALID_INPUT", `match.${wrong} must be a text, a finite number, a boolean or null`);
  const key = canonicalJson(paths.map((path) => match[path]));
  if (key.length > KEY_MAX)
    throw new AppError("TOO_LARGE", `match has ${key.length} characters; ${KEY_MAX} are allowed`);
  return { shape: JSON.stringify(paths), key };
}

/** The key that an event has for a shape; `undefined` where something else than a scalar stands at a path. */
export function keyForShape(shape: string, payload: unknown): string | undefined {
  const values: MatchValue[] = [];
  for (const path of JSON.parse(shape) as readonly string[]) {
    const value = valueAt(payload, path);
    if (!isScalar(value)) return undefined;
    values.push(value);
  }
  const key = canonicalJson(values);
  return key.length > KEY_MAX ? undefined : key;
}

function isScalar(value: unknown): value is MatchValue {
  return (
    value === null ||
    typeof value === "string" ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value))
  );
}
