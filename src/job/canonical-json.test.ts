import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

const json = fc.jsonValue({ maxDepth: 4 });

/** The same value with the members of its objects in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, item]) => [name, shuffled(item)]),
  );
}

describe("canonical JSON", () => {
  test("is JSON of the same value", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("is the same text whatever the order of the members", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
      }),
    );
  });

  test("is the same text only for values that are deeply equal", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const same = isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
        expect(canonicalJson(a) === canonicalJson(b)).toBe(same);
      }),
    );
  });

  test("leaves out what JSON leaves out", () => {
    const values: readonly unknown[] = [
      { a: undefined, b: 1 },
      [undefined, () => 1, Symbol("s")],
      { a: () => 1, b: Symbol("s") },
      new Date(0),
      { when: new Date(0) },
      Number.NaN,
      -0,
      1e21,
      0.1 + 0.2,
      { toJSON: () => ({ b: 1, a: 2 }) },
      "\ud800 lone",
      { "\ud83d\ude00": 1, "\uffff": 2, a: 3 },
    ];
    for (const value of values)
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value) ?? "null"));
  });

  test("sorts members by their UTF-16 units and writes no space", () => {
    expect(canonicalJson({ b: [1, { d: null, c: true }], a: "x", "\u00e4": 1, Z: 2 })).toBe(
      '{"Z":2,"a":"x","b":[1,{"c":true,"d":null}],"\u00e4":1}',
    );
  });
});
