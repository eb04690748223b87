import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dropLock, holdLock, isLockHeld, lockFile, lockNames } from "./liveness.ts";

const HOLDER = `
import { holdLock } from ${JSON.stringify(new URL("./liveness.ts", import.meta.url).href)};
holdLock(process.argv[1], process.argv[2]);
console.log("held");
setInterval(() => undefined, 1000);
`;

let folder = "";
let path = "";
let children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "liveness-"));
  path = join(folder, "w.db");
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

async function startHolder(uuid: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", HOLDER, path, uuid], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

test("a worker lives while its process does: also stopped, and not a moment longer", async () => {
  const child = await startHolder("a");
  expect(isLockHeld(path, "a")).toBe(true);
  child.kill("SIGSTOP");
  expect(isLockHeld(path, "a")).toBe(true);
  await kill(child);
  expect(isLockHeld(path, "a")).toBe(false);
  // What it left is found dead again and again until somebody removes it.
  expect(isLockHeld(path, "a")).toBe(false);
  dropLock(path, "a");
  expect(readdirSync(`${path}.workers`)).toEqual([]);
});

test("a probe neither takes a lock away nor makes a file", async () => {
  await startHolder("a");
  for (let n = 0; n < 20; n++) expect(isLockHeld(path, "a")).toBe(true);
  expect(isLockHeld(path, "nobody")).toBe(false);
  expect(existsSync(lockFile(path, "nobody"))).toBe(false);
});

test("the probe of a worker in the same process says that it lives and leaves its lock alone", async () => {
  const own = holdLock(path, "own");
  expect(isLockHeld(path, "own")).toBe(true);
  const script = `import { isLockHeld } from ${JSON.stringify(new URL("./liveness.ts", import.meta.url).href)};
    process.exit(isLockHeld(process.argv[1], "own") ? 10 : 11);`;
  const seen = spawn(process.execPath, ["--input-type=module", "-e", script, path]);
  expect((await once(seen, "exit"))[0]).toBe(10);
  own[Symbol.dispose]();
  expect(isLockHeld(path, "own")).toBe(false);
  expect(readdirSync(`${path}.workers`)).toEqual([]);
});

test("a probe that cannot be made says nothing, so the worker counts as alive; its lease decides", () => {
  mkdirSync(lockFile(path, "odd"), { recursive: true });
  expect(isLockHeld(path, "odd")).toBe(true);
  writeFileSync(lockFile(path, "rubbish"), "no database at all, ".repeat(100));
  expect(isLockHeld(path, "rubbish")).toBe(false);
  expect(lockNames(path).sort()).toEqual(["odd", "rubbish"]);
  expect(lockNames(`${path}.other`)).toEqual([]);
});

test("the files are of their owner alone", () => {
  const before = process.umask(0);
  using own = holdLock(path, "own");
  process.umask(before);
  expect([statSync(`${path}.workers`).mode & 0o777, statSync(own.file).mode & 0o777]).toEqual([0o700, 0o600]);
});

test("a name is held once", () => {
  using _own = holdLock(path, "own");
  expect(() => holdLock(path, "own")).toThrow("EEXIST");
});

test("a probe is cheap: every worker asks it of every other at each tick", async () => {
  await startHolder("a");
  isLockHeld(path, "a");
  const started = performance.now();
  for (let n = 0; n < 100; n++) isLockHeld(path, "a");
  // Measured 0.1-0.2 ms; the bound is for a machine that is busy with other tests.
  expect((performance.now() - started) / 100).toBeLessThan(3);
});
