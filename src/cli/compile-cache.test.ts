import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownFolder } from "./compile-cache.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "windlass-cache-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

test("the folder is made below the home for its owner alone, and found again", () => {
  const folder = join(home, ".cache", "windlass", "compiled");
  expect(ownFolder("", home)).toBe(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(ownFolder("", home)).toBe(folder);
});

test("an absolute XDG_CACHE_HOME is taken, a relative one is not", () => {
  expect(ownFolder(home, "/nowhere")).toBe(join(home, "windlass", "compiled"));
  expect(ownFolder("cache", home)).toBe(join(home, ".cache", "windlass", "compiled"));
});

test("a home that others can write, or of another account, gets none", () => {
  chmodSync(home, 0o777);
  expect(ownFolder("", home)).toBeUndefined();
  expect(existsSync(join(home, ".cache"))).toBe(false);
  expect(ownFolder(tmpdir(), home)).toBeUndefined();
});

test("nothing of another account is taken, though it is closed to others", ({ skip }) => {
  skip(process.geteuid?.() !== 0, "only root can give a folder to another account");
  const folder = ownFolder(home, home) ?? "";
  chownSync(folder, 1, 1);
  expect(ownFolder(home, home)).toBeUndefined();
  chownSync(folder, 0, 0);
  expect(ownFolder(home, home)).toBe(folder);
  chownSync(home, 1, 1);
  expect(ownFolder(home, home)).toBeUndefined();
});

test("a folder that others can open, a link and a file are not taken", () => {
  const folder = join(home, "windlass", "compiled");
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  expect(ownFolder(home, home)).toBeUndefined();
  rmSync(folder, { recursive: true });
  const elsewhere = join(home, "elsewhere");
  mkdirSync(elsewhere, { mode: 0o700 });
  symlinkSync(elsewhere, folder);
  expect(ownFolder(home, home)).toBeUndefined();
  rmSync(folder);
  writeFileSync(folder, "");
  expect(ownFolder(home, home)).toBeUndefined();
});

test("a home that does not exist, or in which nothing can be made, gets none", () => {
  expect(ownFolder("", join(home, "missing"))).toBeUndefined();
  expect(ownFolder("", ".")).toBeUndefined();
  expect(ownFolder("/proc", home)).toBeUndefined();
});
