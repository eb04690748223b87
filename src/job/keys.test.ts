import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineJob } from "./definition.ts";
import { keyNeeds, rateKey, valueAt } from "./keys.ts";
import type { TypeRules } from "./rules.ts";

const rulesOf = (fields: object): TypeRules => defineJob({ name: "app.a", input: z.unknown(), ...fields }).rules;
const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean());

describe("a path into an input", () => {
  test("finds what stands there and nothing that every object has", () => {
    const input = { a: { b: [{ c: 7 }] }, "": { "": 1 } };
    expect(valueAt(input, "a.b.0.c")).toBe(7);
    expect(valueAt(input, ".")).toBe(1);
    for (const path of ["a.x", "a.b.c", "constructor", "a.__proto__", "a.b.length.x", "toString"])
      expect(valueAt(input, path)).toBeUndefined();
  });

  test("never throws, whatever stands there", () => {
    fc.assert(fc.property(fc.anything(), fc.string(), (input, path) => void valueAt(input, path)));
  });
});

describe("the keys that a job needs", () => {
  const byUser = rulesOf({ concurrency: [{ key: "user", limit: 2 }, { limit: 10 }], locks: ["desktop:<host>", "all"] });

  test("are named by type, path and value; locks across types by their own name", () => {
    expect(keyNeeds("app.a", byUser, { user: "ann", host: "lab1" })).toEqual([
      { key: "app.a/user=ann", limit: 2, strategy: "queue" },
      { key: "app.a", limit: 10, strategy: "queue" },
      { key: "lock:desktop:lab1", limit: 1, strategy: "queue" },
      { key: "lock:all", limit: 1, strategy: "queue" },
    ]);
  });

  test("without a value there is no key", () => {
    for (const input of [{}, { user: null }, null, "text", 7])
      expect(keyNeeds("app.a", byUser, input).map(({ key }) => key)).toEqual(["app.a", "lock:all"]);
  });

  test("the same name twice counts once, with the smaller limit", () => {
    const rules = rulesOf({
      concurrency: [
        { key: "user", limit: 5 },
        { key: "user", limit: 2, strategy: "cancel-newest" },
      ],
    });
    expect(keyNeeds("app.a", rules, { user: 1 })).toEqual([
      { key: "app.a/user=1", limit: 2, strategy: "cancel-newest" },
    ]);
  });

  test("are different for different values of one path, and never named twice", () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const [one, other] = [a, b].map((user) => keyNeeds("app.a", byUser, { user, host: "h" }).map(({ key }) => key));
        expect(one?.[0] === other?.[0]).toBe(String(a) === String(b));
        expect(new Set(one).size).toBe(one?.length);
      }),
    );
  });

  test("a list or an object is refused, naming the field", () => {
    for (const user of [[], {}, [1]])
      expect(() => keyNeeds("app.a", byUser, { user })).toThrowError(
        expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining("input.user: app.a") }),
      );
  });
});

describe("the bucket of a rate limit", () => {
  test("is the type's where the rule has no path, and none where the input has no value", () => {
    expect(rateKey("app.a", rulesOf({ rateLimit: { units: 1, per: "1s" } }), {})).toBe("app.a");
    const keyed = rulesOf({ rateLimit: { key: "user", units: 1, per: "1s" } });
    expect(rateKey("app.a", keyed, { user: "ann" })).toBe("app.a/user=ann");
    expect(rateKey("app.a", keyed, {})).toBeUndefined();
    expect(rateKey("app.a", rulesOf({}), { user: "ann" })).toBeUndefined();
  });
});
