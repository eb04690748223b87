import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { machineIdentity } from "./machine.ts";
import { procTable, psTable } from "./process-table.ts";
import { isAlive } from "./program.ts";

test.each([
  ["/proc", procTable],
  ["ps", psTable],
])("%s tells a process, its start, its arguments and the members of its group", async (_name, table) => {
  const child = spawn("/bin/sh", ["-c", "read line", "a mark"], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const pid = child.pid ?? 0;
  const facts = table.read(pid);
  expect(facts).toMatchObject({ pid, ended: false, group: pid, session: pid });
  expect(facts?.startTime).not.toBe("");
  expect(table.command(pid)).toContain("a mark");
  expect(table.members(pid).map((member) => member.pid)).toEqual([pid]);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(table.read(pid)).toBeUndefined();
  expect(table.command(pid)).toBe("");
  expect(table.members(pid)).toEqual([]);
});

test("ps says when a process started in the same words, whatever the time zone of who asks", () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const started = ["Asia/Tokyo", "America/New_York"].map((zone) => {
    vi.stubEnv("TZ", zone);
    return psTable.read(process.pid)?.startTime;
  });
  expect(started[0]).toMatch(/ \d{4}$/);
  expect(started[1]).toBe(started[0]);
});

test("another process that has a program's number is not taken for the program", () => {
  const startTime = procTable.read(process.pid)?.startTime ?? "";
  const nonce = process.argv[0] ?? "";
  expect(isAlive({ pid: process.pid, startTime, nonce })).toBe(true);
  expect(procTable.read(process.pid)?.startTime).toBe(startTime);
  expect(isAlive({ pid: process.pid, startTime: `${startTime}1`, nonce })).toBe(false);
  expect(isAlive({ pid: process.pid, startTime, nonce: "somebody else" })).toBe(false);
});

test("the machine's identity is the same each time and says which boot and pid namespace", () => {
  const identity = machineIdentity();
  expect(identity).toEqual(machineIdentity());
  expect(Object.values(identity).every((text) => text.length > 0)).toBe(true);
  if (process.platform === "linux") {
    expect(identity.boot).toMatch(/^[0-9a-f-]{36}$/);
    expect(identity.pidNamespace).toMatch(/^pid:\[\d+\]$/);
  }
});
