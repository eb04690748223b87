import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ownedPath, removeOrphans } from "./owned-folder.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "windlass-owned-"));
  vi.stubEnv("TMPDIR", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const MODULE = new URL("./owned-folder.ts", import.meta.url).href;

/** A process that made a folder with a file, and lives. */
async function startOwner() {
  const program = `
    import { mkdtempSync, writeFileSync } from "node:fs";
    import { ownedPath } from ${JSON.stringify(MODULE)};
    const folder = mkdtempSync(ownedPath("ssh-call"));
    writeFileSync(folder + "/diagnostics", "x");
    process.stdout.write(folder);
    process.stdin.resume();`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  const [path] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { path, kill };
}

test("what a killed process left is removed, and what a live one has is not", async () => {
  const [killed, alive] = [await startOwner(), await startOwner()];
  const mine = mkdtempSync(ownedPath("upload"));
  try {
    await killed.kill();
    expect(existsSync(join(killed.path, "diagnostics"))).toBe(true);
    removeOrphans();
    expect(readdirSync(folder).toSorted()).toEqual([alive.path, mine].map((path) => basename(path)).toSorted());
  } finally {
    await alive.kill();
  }
});

test("a number that another process has by now is no sign of life", async () => {
  const path = mkdtempSync(ownedPath("ssh-call").replace(/_[^_]+_$/, "_1_"));
  removeOrphans();
  expect(existsSync(path)).toBe(false);
});

test("nothing is removed of which it cannot be told whether its process lives, nor what another account owns", () => {
  const path = mkdtempSync(ownedPath("ssh-call"));
  mkdirSync(path.replace(/_[^_]+_(\w{6})$/, "_unknown_$1"));
  mkdirSync(path.replace(/_\d+_([^_]+_\w{6})$/, "_99999999999_$1"));
  if (process.getuid?.() === 0) {
    const others = path.replace(/_[^_]+_(\w{6})$/, "_1_$1");
    mkdirSync(others);
    chownSync(others, 1, 1);
  }
  const before = readdirSync(folder);
  removeOrphans();
  expect(readdirSync(folder)).toEqual(before);
});

test("nothing is removed that is of another boot, container or machine, is a link or is called otherwise", async () => {
  const { path, kill } = await startOwner();
  await kill();
  const elsewhere = path.replace(/-[0-9a-f]{16}_/, `-${"0".repeat(16)}_`);
  const kept = join(folder, "kept");
  const link = path.replace(/\w{6}$/, "linked");
  for (const made of [elsewhere, kept, `${path}.old`, join(folder, "windlass-ssh-call-aBc123")]) mkdirSync(made);
  writeFileSync(join(kept, "file"), "x");
  symlinkSync(kept, link);
  const before = readdirSync(folder);
  removeOrphans();
  expect(readdirSync(folder)).toEqual(before.filter((name) => name !== basename(path)));
  expect(existsSync(join(kept, "file"))).toBe(true);
});
