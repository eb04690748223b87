import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { needs } from "../system.ts";
import { until } from "../until.ts";
import { runningProcesses } from "./processes.ts";

needs("sshd");

const OWNER = `
import { startTask } from ${JSON.stringify(new URL("./scheduled-tasks.ts", import.meta.url).href)};
import { startWindowsSimulator } from ${JSON.stringify(new URL("./simulator.ts", import.meta.url).href)};
const { machine, ssh } = await startWindowsSimulator();
machine.putTask({ name: "t", execute: "C:\\\\Tools\\\\exit-with.exe", arguments: "1", restartCount: 999 });
startTask(machine, "t");
console.log(JSON.stringify({ folder: machine.folder, pid: ssh.pid }));
`;

test("a test process that is killed leaves nothing of its machine", async () => {
  const owner = spawn(process.execPath, ["--input-type=module", "-e", OWNER], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(owner.stdout, "data");
  const { folder, pid } = JSON.parse(String(line)) as { folder: string; pid: number };
  await until(() => (runningProcesses(folder).length > 0 ? true : undefined), { what: "the task runs" });
  owner.kill("SIGKILL");
  await until(() => (existsSync(folder) ? undefined : true), { what: "the folder is gone" });
  expect(runningProcesses(folder)).toEqual([]);
  await until(() => (isOver(pid) ? true : undefined), { what: "sshd has ended" });
});

/** What was killed stays in the table, with no command line, until somebody takes its code. */
function isOver(pid: number): boolean {
  const path = `/proc/${pid}/cmdline`;
  return !existsSync(path) || readFileSync(path).length === 0;
}
