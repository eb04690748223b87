import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

test.each([
  ["worker.leese", "worker.lease"],
  ["lease", "worker.lease"],
  ["jobs.lease", "worker.lease"],
  ["job.leases", "worker.lease"],
  ["tick", "worker.tick"],
  ["timeuot", "timeout"],
])("%s is nearest to %s", (text, expected) => {
  expect(nearest(text, ["timeout", "worker.lease", "worker.tick", "job.timeout"])).toBe(expected);
});

test("the first of several that are as near is taken, and none of none", () => {
  expect(nearest("ac", ["ab", "ad"])).toBe("ab");
  expect(nearest("a", [])).toBeUndefined();
});
