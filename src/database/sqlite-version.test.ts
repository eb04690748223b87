import { expect, test } from "vitest";
import { isSafeSqlite } from "./sqlite-version.ts";

test.each([
  ["3.51.3", true],
  ["3.51.10", true],
  ["3.53.4", true],
  ["4.0.0", true],
  ["3.51.2", false],
  ["3.51", false],
  ["3.9.99", false],
  ["2.99.99", false],
  ["", false],
])("SQLite %j may be written with by several processes: %j", (version, safe) => {
  expect(isSafeSqlite(version)).toBe(safe);
});
