import fc from "fast-check";
import { expect, test } from "vitest";
import { distribution } from "./distribution.ts";

test("nothing has no distribution, and one value is all of it", () => {
  expect(distribution([])).toBeNull();
  expect(distribution([7])).toEqual({ count: 1, p50: 7, p90: 7, p99: 7, max: 7 });
});

test("percentiles are values that were there: the smallest that so many do not exceed", () => {
  expect(distribution(Array.from({ length: 200 }, (_, n) => 200 - n))).toEqual({
    ...{ count: 200, p50: 100, p90: 180, p99: 198, max: 200 },
  });
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const found = distribution(values);
      if (found === null) return false;
      const { p50, p90, p99, max } = found;
      const share = (limit: number): number => values.filter((value) => value <= limit).length / values.length;
      return p50 <= p90 && p90 <= p99 && p99 <= max && share(p50) >= 0.5 && share(p90) >= 0.9 && share(p99) >= 0.99;
    }),
  );
});
