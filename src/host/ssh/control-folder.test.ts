import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { controlName, prepareControlFolder } from "./control-folder.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "wl-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const target = { name: "a", sshHost: "h", sshPort: 1, sshUser: "u", sshIdentityFile: "", sshKnownHosts: "" };

test("the folder is made for its owner alone, and found again", () => {
  const folder = join(root, "c");
  expect(prepareControlFolder(folder)).toBe(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(prepareControlFolder(folder)).toBe(folder);
});

test("a folder that others can open, a link and a file are refused", () => {
  const open = join(root, "open");
  mkdirSync(open);
  chmodSync(open, 0o755);
  expect(() => prepareControlFolder(open)).toThrow(/open to other accounts/);
  const own = join(root, "own");
  mkdirSync(own, { mode: 0o700 });
  symlinkSync(own, join(root, "link"));
  expect(() => prepareControlFolder(join(root, "link"))).toThrow(/is no folder/);
  writeFileSync(join(root, "file"), "");
  expect(() => prepareControlFolder(join(root, "file"))).toThrow(expect.objectContaining({ code: "CONFIG" }));
});

test("a path that leaves no room for a socket is refused", () => {
  expect(() => prepareControlFolder(`/tmp/${"x".repeat(60)}`)).toThrow(/is longer than/);
});

test("a socket is shared by what logs in the same way, whatever it is called", () => {
  const name = controlName(target);
  expect(controlName({ ...target, name: "b" })).toBe(name);
  for (const change of [
    { sshHost: "x" },
    { sshPort: 2 },
    { sshUser: "x" },
    { sshIdentityFile: "/x" },
    { sshKnownHosts: "/x" },
  ])
    expect(controlName({ ...target, ...change })).not.toBe(name);
  expect(name.length).toBeLessThanOrEqual(16);
});
