import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rankOf } from "./rank.ts";

const due = fc.integer({ min: 0, max: 4_000_000_000_000 });
const age = fc.integer({ min: 0, max: 86_400_000 });
const priority = fc.constantFrom(1, 2, 3);

describe("the rank of a job", () => {
  test("of the same priority goes by due time", () => {
    fc.assert(
      fc.property(due, due, priority, age, (a, b, level, ageMs) => {
        expect(Math.sign(rankOf(a, level, ageMs) - rankOf(b, level, ageMs))).toBe(Math.sign(a - b));
      }),
    );
  });

  test("one step of priority is worth exactly the age", () => {
    fc.assert(
      fc.property(due, fc.constantFrom(1, 2), age, (at, lower, ageMs) => {
        const higher = (lower + 1) as 2 | 3;
        expect(rankOf(at, lower, ageMs)).toBe(rankOf(at + ageMs, higher, ageMs));
        expect(rankOf(at, lower, ageMs)).toBeGreaterThanOrEqual(rankOf(at, higher, ageMs));
      }),
    );
  });

  test("nothing starves: a low job goes before every high one that came due two ages later", () => {
    fc.assert(
      fc.property(due, age, fc.integer({ min: 1, max: 1_000_000 }), (at, ageMs, later) => {
        expect(rankOf(at, 1, ageMs)).toBeLessThan(rankOf(at + 2 * ageMs + later, 3, ageMs));
      }),
    );
  });

  test("is a whole number that a database keeps exactly", () => {
    fc.assert(
      fc.property(due, priority, age, (at, level, ageMs) => {
        expect(Number.isSafeInteger(rankOf(at, level, ageMs))).toBe(true);
      }),
    );
  });
});
