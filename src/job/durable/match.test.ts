import fc from "fast-check";
import { expect, test } from "vitest";
import { valueAt } from "../keys.ts";
import { digestOf } from "./digest.ts";
import { keyForShape, type MatchValue, matchKey } from "./match.ts";
import { readOutcome, writeError, writeValue } from "./outcome.ts";

const scalar = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const path = fc.constantFrom("a", "b", "c.d", "c.e", "list.0");

test("an event has the key of a match exactly when every path holds its value", () => {
  fc.assert(
    fc.property(fc.dictionary(path, scalar, { maxKeys: 4 }), fc.jsonValue(), fc.boolean(), (match, other, fits) => {
      const payload = fits ? payloadFor(match) : other;
      const { shape, key } = matchKey(match);
      const equal = Object.entries(match).every(([at, value]) => same(valueAt(payload, at), value));
      expect(keyForShape(shape, payload) === key).toBe(equal);
    }),
  );
});

test("what is no scalar is refused in a match, and has no key in an event", () => {
  for (const value of [{}, [], undefined, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => matchKey({ a: value as never })).toThrow("match.a must be");
  expect(keyForShape('["a"]', { a: {} })).toBe(undefined);
  expect(keyForShape('["a"]', {})).toBe(undefined);
  expect(() => matchKey(Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`p${n}`, n])))).toThrow(
    "8 are allowed",
  );
});

test("a digest is that of the canonical JSON", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      expect(digestOf(turned)).toBe(digestOf(value));
      expect(digestOf(value)).toMatch(/^[0-9a-f]{16}$/);
      expect(digestOf({ ...value, "one more": 1 })).not.toBe(digestOf(value));
    }),
  );
});

test("an outcome is read as it was written", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.stringify(value);
      expect(readOutcome(writeValue(json))).toEqual({ kind: "ok", value: JSON.parse(json) as unknown });
    }),
  );
  expect(readOutcome(writeValue(undefined))).toEqual({ kind: "ok", value: undefined });
  const error = { code: "EXIT_NONZERO", message: "3", details: { exit_code: 3 } };
  expect(readOutcome(writeError(error))).toEqual({ kind: "error", error });
});

function same(found: unknown, value: MatchValue): boolean {
  // JSON has one zero.
  return found === value;
}

function payloadFor(match: Readonly<Record<string, MatchValue>>): unknown {
  const { a, b } = match;
  return {
    ...(a === undefined ? {} : { a }),
    ...(b === undefined ? {} : { b }),
    c: { d: match["c.d"], e: match["c.e"] },
    list: [match["list.0"]],
  };
}
