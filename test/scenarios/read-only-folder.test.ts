import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliFolder } from "../support/cli.ts";

test("a folder that cannot be written: each command says so with the path, and exits with 2", async ({ skip }) => {
  await using cli = new CliFolder();
  const disk = join(cli.path, "disk");
  const old = join(disk, "old.db");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    return skip("needs the right to mount a small tmpfs: run as root on Linux");
  }
  try {
    expect((await cli.call(["jobs", "enqueue", "--type", "exec", "--db", old, "--", "true"])).status).toBe(0);
    execFileSync("mount", ["-o", "remount,ro", disk]);
    for (const [path, ...args] of [
      [old, "jobs", "enqueue", "--type", "exec", "--", "true"],
      [join(disk, "new.db"), "jobs", "enqueue", "--type", "exec", "--", "true"],
      [old, "worker"],
    ] as const) {
      const { status, stderr } = await cli.call(["--db", path, ...args]);
      expect(stderr).toContain("DATABASE_UNWRITABLE");
      expect(stderr).toContain(path);
      expect(status).toBe(2);
    }
  } finally {
    execFileSync("umount", [disk]);
  }
});
