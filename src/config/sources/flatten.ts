import { isBlock } from "../schema/lists.ts";
import { nearest } from "./nearest.ts";

/**
 * Turns nested blocks into values by dotted key, and holds every key against the known ones. `null` (a key with nothing
 * after it) is the same as no key.
 *
 * @param refuse throws; gets the key at fault and the reason.
 */
export function flatten(
  block: Readonly<Record<string, unknown>>,
  known: readonly string[],
  refuse: (key: string, reason: string) => never,
): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  const keys = new Set(known);
  const visit = (inner: Readonly<Record<string, unknown>>, prefix: string) => {
    for (const [name, value] of Object.entries(inner)) {
      const key = `${prefix}${name}`;
      if (!keys.has(key)) descend(key, value);
      else if (values.has(key)) refuse(key, "is given twice");
      else if (value !== null) values.set(key, value);
    }
  };
  const descend = (key: string, value: unknown) => {
    const inside = known.filter((one) => one.startsWith(`${key}.`)).map((one) => one.slice(key.length + 1));
    if (inside.length === 0) return refuse(key, `is not a known key; the nearest is ${nearest(key, known)}`);
    if (isBlock(value)) return visit(value, `${key}.`);
    if (value !== null) refuse(key, `must be a block of keys (${inside.join(", ")})`);
  };
  visit(block, "");
  return values;
}
