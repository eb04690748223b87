import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesAny, matchesPattern } from "./pattern.ts";

const letters = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 8 });

test("a star stands for any characters and everything else for itself", () => {
  fc.assert(
    fc.property(letters, letters, (pattern, text) => {
      const source = pattern.split("*").map((part) => part.replaceAll(".", "\\."));
      expect(matchesPattern(pattern, text)).toBe(new RegExp(`^${source.join(".*")}$`, "s").test(text));
    }),
    { numRuns: 2_000 },
  );
});

test("a pattern without a star is the text itself, whatever a regular expression would make of it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (pattern, text) => {
      fc.pre(!pattern.includes("*"));
      expect(matchesPattern(pattern, pattern)).toBe(true);
      expect(matchesPattern(pattern, text)).toBe(pattern === text);
    }),
  );
});

test("many stars against a long name take no time", () => {
  expect(matchesPattern("*a*a*a*a*a*a*a*a*a*a*b", "a".repeat(20_000))).toBe(false);
});

test("what is not said matches no pattern", () => {
  expect([matchesAny(["*"], undefined), matchesAny(["*"], ""), matchesAny([], "x")]).toEqual([false, true, false]);
});
