import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../../test/support/system.ts";
import { until } from "../../../test/support/until.ts";
import { executableText } from "../../../test/support/windows-simulator/executables.ts";
import { findPwsh } from "../../../test/support/windows-simulator/powershell/real.ts";
import { startWindowsSimulator, type WindowsSimulator } from "../../../test/support/windows-simulator/simulator.ts";
import { systemClock } from "../../clock.ts";
import { SshConnection } from "../ssh/connection.ts";
import { PowerShellRunner } from "./runner.ts";

needs("sshd");

const { signal } = new AbortController();

let simulator: WindowsSimulator;
let connection: SshConnection;

beforeAll(async () => {
  simulator = await startWindowsSimulator();
  simulator.putFile("C:\\Tools\\sleep.exe", executableText("linux", "/usr/bin/sleep"));
  const target = {
    name: "default",
    sshHost: "127.0.0.1",
    sshPort: simulator.sshPort,
    sshUser: simulator.user,
    sshIdentityFile: simulator.identityFile,
    sshKnownHosts: simulator.knownHosts,
  };
  connection = new SshConnection(target, { clock: systemClock, timeoutMs: 20_000, ownMaster: true });
});
afterAll(async () => {
  await connection.close();
  await simulator.stop();
});

const start = () => PowerShellRunner.start(connection, { clock: systemClock, signal });
const sleeping = (seconds: string) =>
  simulator.processes().filter(({ commandLine }) => commandLine.endsWith(`sleep ${seconds}`));

describe("over ssh, which cuts codes to 8 bits and has 255 for itself, a runner's code is exact", () => {
  test.for([
    ["small ones", [0, 7, 255]],
    ["those of 32 bits", [256, 259, 3_221_225_477, 4_294_967_295]],
  ] as const)("%s", async ([, codes], { skip }) => {
    if (codes[0] > 255 && findPwsh() !== undefined) skip("a real PowerShell on Linux sees 8 bits");
    await using runner = await start();
    for (const code of codes) {
      const end = await runner.run({ argv: ["exit-with", String(code)] }, { timeoutMs: 20_000, signal });
      expect(end).toEqual({ kind: "exited", code, leftProcesses: 0 });
    }
  });
});

test("a connection that is cut leaves nothing running, and what became of the command is unknown", async () => {
  await using runner = await start();
  const running = runner.run({ argv: ["sleep", "4321"] }, { timeoutMs: 20_000, signal });
  await until(() => sleeping("4321")[0], { what: "the program runs" });
  simulator.cutConnections();
  expect(await running).toMatchObject({ kind: "unknown", remoteState: "killed" });
  expect(sleeping("4321")).toEqual([]);
  expect(runner.isUsable).toBe(false);
  await using next = await start();
  expect(await next.run({ argv: ["exit-with", "3"] }, { timeoutMs: 20_000, signal })).toMatchObject({ code: 3 });
});

test("a runner that ends by itself says nothing, and that is not success", async () => {
  await using runner = await start();
  const running = runner.run({ argv: ["sleep", "5432"] }, { timeoutMs: 20_000, signal });
  await until(() => sleeping("5432")[0], { what: "the program runs" });
  process.kill(runner.pid, "SIGKILL");
  expect(await running).toMatchObject({ kind: "unknown", remoteState: "killed" });
});
