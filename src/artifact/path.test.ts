import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkKeptPath, resolveBelow } from "./path.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "windlass-path-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("a path that comes from a job", () => {
  test.each([
    ["", "1 to 512"],
    ["/etc/passwd", "relative"],
    ["../x", "relative"],
    ["a/../../x", "relative"],
    ["a//b", "relative"],
    ["./a", "relative"],
    ["a\\b", "not every system"],
    ["c:stream", "not every system"],
    ["a\0b", "not every system"],
    ["tail.", "ends in a dot"],
    ["tail ", "ends in a dot or a space"],
    ["NUL", "device"],
    ["con.txt", "device"],
    ["dir/COM1", "device"],
    [".attempts/1-1/x", "keeps for itself"],
    ["runs/2/x", "keeps for itself"],
    ["x".repeat(513), "1 to 512"],
  ])("%j is refused", (path, reason) => {
    expect(() => checkKeptPath(path)).toThrow(
      expect.objectContaining({ code: "INVALID_PATH", message: expect.stringContaining(reason) }),
    );
  });

  test("whatever is accepted stays below its root", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 60, unit: fc.constantFrom("a", ".", "/", "\\", "..", "~", "ü", " ") }),
        (path) => {
          let parts: readonly string[];
          try {
            parts = checkKeptPath(path);
          } catch {
            return;
          }
          expect(resolveBelow(root, parts).startsWith(root + sep)).toBe(true);
        },
      ),
    );
  });
});

test("a link on the way is refused, wherever it leads", () => {
  mkdirSync(join(root, "real"));
  symlinkSync("/tmp", join(root, "link"));
  symlinkSync("/etc/passwd", join(root, "real", "file"));
  const refused = expect.objectContaining({ code: "INVALID_PATH", message: expect.stringContaining("a link") });
  expect(() => resolveBelow(root, ["link", "x"])).toThrow(refused);
  expect(() => resolveBelow(root, ["real", "file"])).toThrow(refused);
});

test("a file in the place of a folder is refused", () => {
  writeFileSync(join(root, "file"), "");
  expect(() => resolveBelow(root, ["file", "x"])).toThrow(expect.objectContaining({ code: "INVALID_PATH" }));
});
