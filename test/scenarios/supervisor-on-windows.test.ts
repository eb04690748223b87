import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CHROMIUM_ARGS, freePort, linkPlaywright } from "../support/browser-server.ts";
import { type Finished, pairsOf } from "../support/cli.ts";
import { needs } from "../support/system.ts";
import { WindowsBench } from "../support/windows-bench.ts";
import { endTask } from "../support/windows-simulator/scheduled-tasks.ts";

// In the place of Windows stands the simulator: a real sshd, tasks that really run programs, the runner's protocol over its state.
needs("ssh", "sshd", "chromium");

const SECRET = "canary-5d0c83b19ae7f264";
const SUPERVISOR = { settle: "0s" };
/** A task is started before its program is there: on a busy machine it takes more than two looks. */
const PATIENT = { settle: "500ms", threshold: 50 };

const linesOf = ({ stdout }: Finished) => stdout.trim().split("\n").map(pairsOf);
const lineOf = (done: Finished, component: string) => linesOf(done).find((line) => line["component"] === component);

interface Served extends AsyncDisposable {
  readonly url: string;
}

/** What stands for a part of Aloha, as this machine reaches it. */
async function serve(statusOf: () => number): Promise<Served> {
  const server = createServer((_, response) => void response.writeHead(statusOf()).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a client that its task brings back is repaired and proved in one pass", async () => {
  await using server = await serve(() => 200);
  // There while the task's program runs.
  await using client = await serve(() => (bench.simulator.processes("sleeper.exe").length > 0 ? 405 : 404));
  await using bench = await WindowsBench.open({
    config: { aloha: { server_url: server.url, client_url: client.url }, supervisor: PATIENT },
  });
  bench.simulator.machine.putTask({ name: "WinAutomation-Aloha", execute: "C:\\Tools\\sleeper.exe" });
  const done = await bench.call(["supervisor", "run", "--once", "--debug"]);
  expect(linesOf(done).at(-1)).toMatchObject({ state: "healthy", ssh: "ok", aloha_server: "ok", aloha_client: "ok" });
  const remedy = { remedy: "firewall_rule,start_cmd,start_task", remedy_state: "remediated" };
  expect(lineOf(done, "aloha_client")).toMatchObject(remedy);
  expect(done.status).toBe(0);
  const rules = bench.simulator.machine.firewallRules.filter(({ name }) => name.startsWith("Aloha"));
  expect(rules).toMatchObject([{ name: "Aloha-7888", localPort: 7_888, remoteAddress: "LocalSubnet" }]);
  const again = await bench.call(["supervisor", "run", "--once"]);
  expect([again.status, linesOf(again).at(-1)?.["state"]]).toEqual([0, "healthy"]);
});

test("a start command is run by the machine's shell; one that fails is told with its code", async () => {
  await using server = await serve(() => (bench.simulator.processes("sleeper.exe").length > 0 ? 200 : 404));
  await using client = await serve(() => 405);
  const aloha = { server_url: server.url, client_url: client.url, server_start_cmd: "exit-with 7" };
  await using bench = await WindowsBench.open({ config: { aloha, supervisor: PATIENT } });
  const failed = await bench.call(["supervisor", "run", "--once"]);
  expect(failed.status).toBe(1);
  expect(lineOf(failed, "aloha_server")).toMatchObject({ state: "failed", remedy_state: "failed" });
  expect(failed.stderr).toContain("aloha.server_start_cmd ended with 7");
  bench.simulator.machine.putTask({ name: "AlohaServer", execute: "C:\\Tools\\sleeper.exe" });
  const env = { WINDLASS_ALOHA_SERVER_START_CMD: "schtasks /Run /TN AlohaServer" };
  const repaired = await bench.call(["supervisor", "run", "--once"], { env });
  expect([repaired.status, lineOf(repaired, "aloha_server")?.["remedy_state"]]).toEqual([0, "remediated"]);
});

test("what listens on the machine and does not answer is not started a second time", async () => {
  await using server = await serve(() => 404);
  await using client = await serve(() => 405);
  const aloha = { server_url: server.url, client_url: client.url, server_start_cmd: "exit-with 7" };
  await using bench = await WindowsBench.open({ config: { aloha, supervisor: SUPERVISOR } });
  bench.simulator.machine.putFirewallRule({ name: "Aloha-7887", displayName: "Aloha-7887", localPort: 7_887 });
  bench.simulator.listen(7_887, { image: "python.exe", pid: 4_321 });
  const done = await bench.call(["supervisor", "run", "--once"]);
  expect(lineOf(done, "aloha_server")).toMatchObject({ failures: "1", remedy_state: "skipped" });
  expect(done.stderr).toContain("python.exe (process 4321) listens on port 7887 of the machine");
});

test("a browser server that died is started again by its task, and its path is nowhere to be read", async () => {
  // Windows and this machine share their loopback here: "auto" would see the port answer.
  const playwright = { port: await freePort(), tunnel: "on" };
  await using bench = await WindowsBench.open({
    config: { playwright, supervisor: PATIENT },
    environment: {
      WINDLASS_CHROMIUM: "/usr/bin/chromium",
      WINDLASS_CHROMIUM_ARGS: JSON.stringify(CHROMIUM_ARGS),
      // Chromium's socket lies below: the real path of the usual folder is too long for one.
      TEMP: "C:\\Temp",
    },
  });
  mkdirSync(bench.simulator.path("C:\\Temp"));
  linkPlaywright(bench.simulator.path("C:\\ProgramData\\win-automation\\playwright\\node_modules"), "playwright-core");
  const env = { WINDLASS_PLAYWRIGHT_WS_PATH: SECRET };
  const installed = await bench.call(["playwright", "install"], { env });
  expect(installed.status, installed.stderr).toBe(0);
  expect(endTask(bench.simulator.machine, "WinAutomation-Playwright")).toBe(true);
  const done = await bench.call(["supervisor", "run", "--once", "--debug"], { env });
  expect(lineOf(done, "playwright")).toMatchObject({ state: "ok", remedy: "start_task", remedy_state: "remediated" });
  expect(done.status).toBe(0);
  const folder = join(bench.cli.path, ".windlass", "supervisor", "default.json");
  expect(`${done.stdout}${done.stderr}${readFileSync(folder, "utf8")}`).not.toContain(SECRET);
});

test("without the secret path the browser server is not judged by starting it again", async () => {
  await using bench = await WindowsBench.open({ config: { playwright: { tunnel: "on" }, supervisor: SUPERVISOR } });
  const done = await bench.call(["supervisor", "run", "--once"]);
  expect(done.status).toBe(1);
  expect(lineOf(done, "playwright")).toMatchObject({ state: "failed", remedy: "none" });
  expect(done.stderr).toContain("playwright.ws_path is not set");
});
