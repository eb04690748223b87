import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test as base, expect } from "vitest";
import { needs } from "../system.ts";
import { until } from "../until.ts";
import { fireTrigger } from "./scheduled-tasks.ts";
import { startWindowsSimulator, type WindowsSimulator } from "./simulator.ts";
import { TASK_RESULT } from "./state-shapes.ts";

needs("ssh", "sshd");

interface Ssh {
  readonly child: ChildProcess;
  readonly stdout: Promise<string>;
  readonly code: Promise<number>;
}

const test = base.extend<{ simulator: WindowsSimulator; ssh: (command: string) => Ssh }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  simulator: async ({}, use) => {
    const simulator = await startWindowsSimulator();
    await use(simulator);
    await simulator.stop();
  },
  ssh: ({ simulator }, use) =>
    use((command) => {
      const place = ["-p", String(simulator.sshPort), `${simulator.user}@127.0.0.1`];
      const child = spawn("ssh", [...options(simulator), ...place, command], { stdio: ["ignore", "pipe", "ignore"] });
      const code = once(child, "exit").then(([exit]) => Number(exit));
      return { child, stdout: text(child.stdout), code };
    }),
});

function options({ identityFile, knownHosts }: WindowsSimulator): readonly string[] {
  const settings = ["BatchMode=yes", `UserKnownHostsFile=${knownHosts}`, "IdentitiesOnly=yes", "LogLevel=ERROR"];
  return ["-F", "none", "-i", identityFile, ...settings.flatMap((setting) => ["-o", setting])];
}

/** Resolves when a program of this name runs. */
function runs(simulator: WindowsSimulator, image: string): Promise<number> {
  return until(() => simulator.processes(image)[0]?.pid, { what: `${image} runs` });
}

function ended(simulator: WindowsSimulator, image: string): Promise<true> {
  return until(() => (simulator.processes(image).length === 0 ? true : undefined), { what: `${image} has ended` });
}

test("cmd is given the raw command: the client quotes nothing, the exit code has 8 bits", async ({
  simulator,
  ssh,
}) => {
  const command = 'argv-echo "a b" %OS% c^&d & exit-with 3221225477';
  const session = ssh(command);
  expect(await session.stdout).toBe('["a b","Windows_NT","c&d"]\r\n');
  expect(await session.code).toBe(5);
  expect(simulator.events("ssh.command").map(({ detail }) => detail)).toEqual([{ command }]);
  const [shell] = simulator.events("program.started", "cmd.exe");
  expect(shell?.detail).toMatchObject({ commandLine: `"C:\\Windows\\System32\\cmd.exe" /c "${command}"`, session: 0 });
});

test("a line beyond 8191 characters fails as cmd fails", async ({ ssh }) => {
  expect(await ssh(`echo ${"x".repeat(8_191)}`).code).toBe(1);
});

test("another default shell is given the command as one argument", async ({ simulator, ssh }) => {
  simulator.machine.set({ defaultShell: "C:\\Tools\\argv-echo.exe" });
  expect(JSON.parse(await ssh('a "b c" \\"').stdout)).toEqual(["-c", 'a "b c" \\"']);
});

test("the end of the top process ends what it left running", async ({ simulator, ssh }) => {
  const session = ssh("leave-child");
  expect(await session.code).toBe(0);
  expect(await session.stdout).toMatch(/^left \d+/);
  expect(simulator.processes()).toEqual([]);
});

test("a child that leaves the job lives on and keeps the session open", async ({ simulator, ssh }) => {
  const session = ssh("leave-child --breakaway");
  await runs(simulator, "sleeper.exe");
  await ended(simulator, "leave-child.exe");
  await ended(simulator, "cmd.exe");
  expect(session.child.exitCode).toBeNull();
  process.kill(await runs(simulator, "sleeper.exe"), "SIGKILL");
  expect(await session.code).toBe(0);
});

test("a cut connection ends no command, stop does", async ({ simulator, ssh }) => {
  const session = ssh("sleeper");
  await runs(simulator, "sleeper.exe");
  expect(simulator.cutConnections()).toBeGreaterThan(0);
  expect(await session.code).toBe(255);
  expect(simulator.processes("sleeper.exe")).toHaveLength(1);
});

test("who is killed leaves the code 1, whoever it was", async ({ simulator, ssh }) => {
  const session = ssh("ping -n 60 localhost & echo %ERRORLEVEL%");
  const pid = await runs(simulator, "PING.EXE");
  expect(await ssh(`taskkill /F /T /PID ${pid}`).code).toBe(0);
  expect(await session.code).toBe(0);
  const top = ssh("sleeper");
  await runs(simulator, "sleeper.exe");
  process.kill(await runs(simulator, "cmd.exe"), "SIGKILL");
  expect(await top.code).toBe(1);
  await ended(simulator, "sleeper.exe");
});

test("sftp: C:/ paths, with blanks", async ({ simulator }) => {
  const folder = mkdtempSync(join(tmpdir(), "windlass-sftp-"));
  try {
    writeFileSync(join(folder, "up.txt"), "text");
    mkdirSync(simulator.path("C:\\Program Files\\my app"));
    const args = ["-b", "-", "-P", String(simulator.sshPort), `${simulator.user}@127.0.0.1`];
    const sftp = spawn("sftp", [...options(simulator), ...args], { cwd: folder, stdio: ["pipe", "ignore", "inherit"] });
    sftp.stdin.end('put up.txt "C:/Program Files/my app/x y.txt"\nget "C:/Program Files/my app/x y.txt" down.txt\n');
    const [code] = await once(sftp, "exit");
    expect(code).toBe(0);
    expect(readFileSync(simulator.path("C:\\program files\\MY APP\\x y.txt"), "utf8")).toBe("text");
    expect(readFileSync(join(folder, "down.txt"), "utf8")).toBe("text");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what was asked and is not modelled fails the test", async () => {
  const simulator = await startWindowsSimulator();
  simulator.machine.record("simulator.not-modelled", "x.exe", { message: "x" });
  await expect(simulator.stop()).rejects.toThrow(/asked of the simulator: \{"message":"x"\}/);
  expect(existsSync(simulator.machine.folder)).toBe(false);
});

test("a task of the desktop runs in its session and needs one; nobody's log-off leaves it running", async ({
  simulator,
}) => {
  const { machine } = simulator;
  const triggers = [{ kind: "AtLogOn" as const }];
  machine.putTask({
    name: "desk",
    execute: "C:\\Tools\\sleeper.exe",
    user: "operator",
    logonType: "Interactive",
    triggers,
  });
  simulator.logOn();
  await runs(simulator, "sleeper.exe");
  expect(simulator.processes("sleeper.exe")).toMatchObject([{ session: 1 }]);
  simulator.noSession();
  await ended(simulator, "sleeper.exe");
  fireTrigger(machine, "AtLogOn");
  expect(machine.task("desk")).toMatchObject({ lastResult: TASK_RESULT.notLoggedOn });
});
