import { once } from "node:events";
import { createServer } from "node:net";
import { expect } from "vitest";
import { until } from "../../until.ts";
import { putFile } from "../install.ts";
import { listeningPorts } from "../listening.ts";
import { test } from "../machine-test.ts";
import { runningProcesses } from "../processes.ts";
import { presentTask, startTask } from "../scheduled-tasks.ts";
import type { Machine } from "../state.ts";
import { TASK_RESULT } from "../state-shapes.ts";

function settles(machine: Machine, name: string): Promise<number> {
  return until(
    () => {
      const task = presentTask(machine, name);
      return task?.state === "Ready" ? task.lastResult : undefined;
    },
    { what: `the task ${name} has ended` },
  );
}

function starts({ folder }: Machine, image: string): Promise<number> {
  return until(() => runningProcesses(folder).find((process) => process.image === image)?.pid, {
    what: `${image} runs`,
  });
}

test("schtasks: create, run, query, end, delete", async ({ machine, run }) => {
  const create = 'schtasks /Create /TN "My Task" /TR "\\"C:\\Tools\\sleeper.exe\\" 60000" /SC ONSTART /RU SYSTEM';
  expect(await run(create)).toMatchObject({ code: 0 });
  expect(machine.task("my task")).toMatchObject({
    execute: '"C:\\Tools\\sleeper.exe"',
    arguments: "60000",
    logonType: "ServiceAccount",
    executionTimeLimit: "PT72H",
    lastResult: TASK_RESULT.neverRan,
  });
  expect((await run('schtasks /Run /TN "\\My Task"')).stdout).toBe(
    'SUCCESS: Attempted to run the scheduled task "My Task".\r\n',
  );
  await starts(machine, "sleeper.exe");
  expect((await run('schtasks /Query /TN "My Task" /V /FO LIST')).stdout).toMatch(/Last Result: +267009\r\n/);
  expect(await run('schtasks /End /TN "My Task"')).toMatchObject({ code: 0 });
  expect(runningProcesses(machine.folder)).toEqual([]);
  expect(machine.task("My Task")).toMatchObject({ state: "Ready", lastResult: TASK_RESULT.stoppedByUser });
  expect(await run('schtasks /Delete /TN "My Task" /F')).toMatchObject({ code: 0 });
  expect(await run('schtasks /Run /TN "My Task"')).toEqual({
    code: 1,
    stdout: "",
    stderr: "ERROR: The system cannot find the file specified.\r\n",
  });
});

test("an unquoted path with a blank in a task ends at the blank, and nothing is found there", async ({
  machine,
  run,
}) => {
  await run('schtasks /Create /TN t /TR "C:\\Program Files\\nodejs\\node.exe x.js" /SC ONSTART /RU SYSTEM');
  expect(machine.task("t")).toMatchObject({ execute: "C:\\Program", arguments: "Files\\nodejs\\node.exe x.js" });
  startTask(machine, "t");
  expect(await settles(machine, "t")).toBe(TASK_RESULT.fileNotFound);
});

test("a task that fails is started again as often as registered; one that ends with 0 is not", async ({ machine }) => {
  const restart = { restartCount: 2, restartInterval: "PT1M" };
  machine.putTask({ name: "fails", execute: "C:\\Tools\\exit-with.exe", arguments: "3221225477", ...restart });
  machine.putTask({ name: "ends", execute: "C:\\Tools\\exit-with.exe", arguments: "0", ...restart });
  startTask(machine, "fails");
  startTask(machine, "ends");
  expect(await settles(machine, "fails")).toBe(0xc0000005);
  expect(await settles(machine, "ends")).toBe(0);
  expect(machine.events("task.started", "fails")).toHaveLength(3);
  expect(machine.events("task.started", "ends")).toHaveLength(1);
});

test("by the other reading of the documents only an action that does not start is tried again", async ({ machine }) => {
  machine.set({ restartsTaskAfterExitCode: false });
  const restart = { restartCount: 2, restartInterval: "PT1M" };
  machine.putTask({ name: "fails", execute: "C:\\Tools\\exit-with.exe", arguments: "1", ...restart });
  machine.putTask({ name: "missing", execute: "C:\\Tools\\nosuch.exe", ...restart });
  startTask(machine, "fails");
  startTask(machine, "missing");
  expect(await settles(machine, "fails")).toBe(1);
  expect(await settles(machine, "missing")).toBe(TASK_RESULT.fileNotFound);
  expect(machine.events("task.restarting").map(({ subject }) => subject)).toEqual(["missing", "missing"]);
});

test("taskkill ends processes of this machine only, with their children", async ({ machine, run }) => {
  machine.putTask({ name: "t", execute: "C:\\Windows\\System32\\cmd.exe", arguments: '/c "sleeper & echo done"' });
  startTask(machine, "t");
  await starts(machine, "sleeper.exe");
  expect(await run("taskkill /IM cmd.exe")).toMatchObject({ code: 1, stdout: "" });
  expect((await run(`taskkill /F /PID ${process.pid}`)).stderr).toBe(
    `ERROR: The process "${process.pid}" not found.\r\n`,
  );
  const pid = await starts(machine, "cmd.exe");
  expect((await run(`taskkill /F /T /PID ${pid}`)).stdout.match(/SUCCESS/g)).toHaveLength(2);
  expect(await settles(machine, "t")).toBe(1);
  expect((await run("taskkill /F /IM explorer.exe")).stderr).toMatch(/Access is denied/);
});

test("tasklist knows what really runs, and what Windows shows on a locked desktop", async ({ machine, run }) => {
  machine.putSession({ id: 1, name: "console", locked: true });
  const { stdout } = await run("tasklist /FO CSV /NH");
  expect(stdout).toMatch(/"tasklist.exe","\d+","Services","0"/);
  expect(stdout).toMatch(/"LogonUI.exe","\d+","Console","1"/);
  expect((await run('tasklist /FI "IMAGENAME eq nothing.exe"')).stdout).toMatch(/^INFO: No tasks are running/);
});

test("the real Node runs scripts of the disk, finds their packages and keeps its 32-bit code", async ({
  machine,
  run,
}) => {
  putFile(machine, "C:\\app\\node_modules\\playwright\\package.json", '{"version":"1.2.3"}');
  putFile(machine, "C:\\app\\main.cjs", "console.log(process.argv.slice(2)); process.exit(3000000000);");
  expect((await run("cd C:\\app & node -p \"require('playwright/package.json').version\"")).stdout).toBe("1.2.3\n");
  expect(await run('node "C:\\APP\\main.cjs" a "b c"')).toMatchObject({
    code: 3_000_000_000,
    stdout: "[ 'a', 'b c' ]\n",
  });
  expect(await run("node C:\\nowhere.js")).toMatchObject({ code: 1 });
});

test("ports: declared ones, and those that processes of the machine really hold open", async ({ machine, run }) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  machine.putListener({ port: 7_887 });
  putFile(machine, "C:\\app\\serve.cjs", "require('net').createServer().listen(0, '127.0.0.1');");
  machine.putTask({ name: "serve", execute: "C:\\Program Files\\nodejs\\node.exe", arguments: "C:\\app\\serve.cjs" });
  startTask(machine, "serve");
  const real = await until(() => listeningPorts(machine).find(({ image }) => image === "node.exe"), {
    what: "it listens",
  });
  expect(real).toMatchObject({ address: "127.0.0.1", pid: await starts(machine, "node.exe") });
  // The test's own server is no process of the machine.
  expect(listeningPorts(machine).map(({ port }) => port)).toEqual([7_887, real.port]);
  server.close();
  await run("taskkill /F /IM node.exe");
});

test("netsh adds another rule each time; names are not unique", async ({ machine, run }) => {
  const add = 'netsh advfirewall firewall add rule name="Aloha 7887" dir=in action=allow protocol=TCP localport=7887';
  expect(await run(`${add} & ${add}`)).toMatchObject({ code: 0, stdout: "Ok.\r\n\r\nOk.\r\n\r\n" });
  expect(machine.firewallRules.map(({ displayName, localPort }) => [displayName, localPort])).toEqual([
    ["Aloha 7887", 7_887],
    ["Aloha 7887", 7_887],
  ]);
  const gone = 'netsh advfirewall firewall delete rule name="ALOHA 7887"';
  expect((await run(gone)).stdout).toBe("\r\nDeleted 2 rule(s).\r\nOk.\r\n\r\n");
  expect(await run(gone)).toMatchObject({ code: 1, stdout: "\r\nNo rules match the specified criteria.\r\n\r\n" });
});

test("sessions: Active, Disc, nobody", async ({ machine, run }) => {
  expect((await run("query session")).stdout).toMatch(/ console +operator +1 +Active/);
  machine.putSession({ id: 1, name: "console", state: "Disc" });
  expect((await run("quser")).stdout).toMatch(/ operator +1 +Disc/);
  machine.removeSession(1);
  expect(await run("quser")).toEqual({ code: 1, stdout: "", stderr: "No User exists for *\r\n" });
});

test("a failpoint shows itself as often as it was set", async ({ machine, run }) => {
  machine.fail("whoami.exe", { code: 5, stderr: "broken\r\n" });
  expect(await run("whoami")).toEqual({ code: 5, stdout: "", stderr: "broken\r\n" });
  expect(await run("whoami")).toMatchObject({ code: 0, stdout: "winsim\\operator\r\n" });
});

test("bytes arrive as they were written", async ({ run, machine }) => {
  expect((await run("spew 100000 > C:\\spewed.bin")).code).toBe(0);
  const { statSync } = await import("node:fs");
  expect(statSync(`${machine.drive}/spewed.bin`).size).toBe(100_000);
});

test("icacls is written down, sc knows the services", async ({ machine, run }) => {
  expect(await run("icacls C:\\ProgramData /inheritance:r /grant:r SYSTEM:(F)")).toMatchObject({ code: 0 });
  expect(machine.events("acl.changed")).toMatchObject([
    { subject: "C:\\ProgramData", detail: ["/inheritance:r", "/grant:r", "SYSTEM:(F)"] },
  ]);
  machine.putService({ name: "sshd" });
  expect((await run("sc query SSHD")).stdout).toMatch(/STATE +: 4 {2}RUNNING/);
  expect((await run("sc query nosuch")).code).toBe(1_060);
});
