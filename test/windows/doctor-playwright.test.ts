import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM_ARGS, freePort, linkPlaywright, startBrowserServer } from "../support/browser-server.ts";
import type { Finished } from "../support/cli.ts";
import { lineOf } from "../support/doctor-lines.ts";
import { needs } from "../support/system.ts";
import { isIntegration, WindowsBench } from "../support/windows-bench.ts";
import { endTask } from "../support/windows-simulator/scheduled-tasks.ts";

needs("ssh", "sshd", "chromium");

const onSimulator = test.skipIf(isIntegration);

/** Nothing that the doctor prints may hold it. */
const SECRET = "canary-71c0e5ab94d2f863";
const MODULES = "C:\\ProgramData\\win-automation\\playwright\\node_modules";
const TASK = "WinAutomation-Playwright";

let said = "";
afterEach(() => {
  expect(said).not.toContain(SECRET.slice(0, 16));
  said = "";
});

async function open(playwright: Readonly<Record<string, unknown>>): Promise<WindowsBench> {
  const bench = await WindowsBench.open({
    config: { playwright },
    environment: {
      WINDLASS_CHROMIUM: "/usr/bin/chromium",
      WINDLASS_CHROMIUM_ARGS: JSON.stringify(CHROMIUM_ARGS),
      // Chromium's socket lies below: the real path of the usual folder is too long for one.
      TEMP: "C:\\Temp",
    },
  });
  mkdirSync(bench.simulator.path("C:\\Temp"));
  return bench;
}

async function doctor(bench: WindowsBench, { secret = SECRET, json = false } = {}): Promise<Finished> {
  const env = { ...(secret === "" ? {} : { WINDLASS_PLAYWRIGHT_WS_PATH: secret }), WINDLASS_TIMEOUT: "20s" };
  const done = await bench.call([...(json ? ["--json"] : []), "doctor"], { env });
  said += done.stdout + done.stderr;
  return done;
}

describe.skipIf(isIntegration)("a machine with a browser server, from before it is installed to after it ended", () => {
  let bench: WindowsBench;
  beforeAll(async () => {
    // Windows and this machine share their loopback here: "auto" would see the port answer.
    bench = await open({ port: await freePort(), tunnel: "on" });
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  test("without Playwright there it says what to type there", async () => {
    const done = await doctor(bench);
    expect([done.status, lineOf(done, "playwright")]).toMatchObject([
      3,
      { state: "unreachable", detail: "there is no Playwright on the machine" },
    ]);
    expect(lineOf(done, "playwright")["remedy"]).toContain("npm install --global playwright");
    expect(lineOf(done, "playwright_leak")["detail"]).toBe("not asked: playwright is not reached");
  });

  test("without a task it is to be installed", async () => {
    linkPlaywright(bench.simulator.path(MODULES), "playwright-core");
    expect(lineOf(await doctor(bench), "playwright")["remedy"]).toContain(
      `there is no task ${TASK}: \`windlass playwright`,
    );
  });

  test("installed it is sound, and keeps its path", async () => {
    const installed = await bench.call(["playwright", "install"], { env: { WINDLASS_PLAYWRIGHT_WS_PATH: SECRET } });
    expect(installed.status, installed.stderr).toBe(0);
    const done = await doctor(bench);
    expect(done.status).toBe(0);
    expect(lineOf(done, "playwright")).toMatchObject({
      state: "ok",
      detail: expect.stringMatching(/^Playwright 1\.65\.1, Chromium \S+, through SSH; task running \(it runs\)$/),
    });
    expect(lineOf(done, "playwright_leak")).toMatchObject({
      state: "ok",
      detail: "it does not tell its secret path, and listens on loopback",
    });
    expect(lineOf(done, "ports")["detail"]).toMatch(/^\d+: node\.exe \(process \d+\) at /);
    expect(lineOf(done, "firewall")).toMatchObject({ state: "ok", detail: "Playwright-9323 is not needed" });
  });

  test("the facts of it stand in the JSON", async () => {
    const { stdout } = await doctor(bench, { json: true });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; facts: object }[] };
    expect(checks.find(({ name }) => name === "playwright")?.facts).toMatchObject({
      ...{ via: "ssh", version: "1.65.1", installed: "1.65.1", running: "1.65.1", task: "Running" },
      task_last_result: 267_009,
    });
  });

  test("another path is refused, and the server still looked at", async () => {
    const done = await doctor(bench, { secret: "another-0123456789abcdef" });
    expect([done.status, lineOf(done, "playwright")["detail"]]).toEqual([
      3,
      expect.stringContaining("PLAYWRIGHT_PATH_REJECTED"),
    ]);
    expect(lineOf(done, "playwright_leak")["state"]).toBe("ok");
  });

  test("without a path the setting is named", async () => {
    const done = await doctor(bench, { secret: "" });
    expect([done.status, lineOf(done, "playwright")]).toMatchObject([
      1,
      { state: "fail", remedy: expect.stringContaining("WINDLASS_PLAYWRIGHT_WS_PATH") },
    ]);
  });

  test("one that ended is told with how its task ended and how to start it", async () => {
    expect(endTask(bench.simulator.machine, TASK)).toBe(true);
    const done = await doctor(bench);
    expect([done.status, lineOf(done, "playwright")["remedy"]]).toEqual([
      3,
      expect.stringContaining(`its task is ready (it was stopped by a user): \`schtasks /Run /TN "${TASK}"\``),
    ]);
  });

  test("without Node there it says so", async () => {
    rmSync(bench.simulator.path("C:\\Program Files\\nodejs\\node.exe"));
    expect(lineOf(await doctor(bench), "playwright")["detail"]).toBe("there is no Node.js in the machine's PATH");
  });
});

onSimulator("another version is told with what to install", async () => {
  const server = await startBrowserServer({ wsPath: SECRET, playwright: "playwright-core-old" });
  try {
    await using bench = await open({ port: server.port, tunnel: "off" });
    const done = await doctor(bench);
    expect([done.status, lineOf(done, "playwright")]).toMatchObject([
      3,
      { state: "unreachable", detail: expect.stringContaining("PLAYWRIGHT_VERSION_MISMATCH") },
    ]);
    expect(lineOf(done, "playwright")["remedy"]).toContain("`npm install --global playwright@1.65.1`");
  } finally {
    await server.stop();
  }
});

/** A server as Playwright itself starts one: `GET /json` tells its path. */
async function startPlainServer(): Promise<{ readonly port: number; readonly process: ChildProcess }> {
  const options = { headless: true, executablePath: "/usr/bin/chromium", args: CHROMIUM_ARGS, wsPath: `/${SECRET}` };
  const core = fileURLToPath(import.meta.resolve("playwright-core"));
  const code = `require(process.argv[1]).chromium.launchServer({ ...JSON.parse(process.argv[2]), host: "127.0.0.1" })
    .then((server) => console.log("port=" + new URL(server.wsEndpoint()).port + "\\n"))`;
  const child = spawn(process.execPath, ["-e", code, core, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [text] = await once(child.stdout, "data");
  return { port: Number(/port=(\d+)/.exec(String(text))?.[1]), process: child };
}

onSimulator("a server that tells its path is found out: a warning on loopback, a failure on the network", async () => {
  const { port, process: server } = await startPlainServer();
  try {
    const leak = await (await fetch(`http://127.0.0.1:${port}/json`)).text();
    // Else this test proves nothing.
    expect(leak).toContain(SECRET);
    await using bench = await open({ port, tunnel: "on" });
    const loopback = await doctor(bench);
    expect([loopback.status, lineOf(loopback, "playwright_leak")]).toMatchObject([
      0,
      {
        state: "warn",
        detail: expect.stringContaining("to every account of the machine"),
        remedy: expect.stringContaining("playwright install"),
      },
    ]);
    // It works, and nothing would start it again.
    expect(lineOf(loopback, "playwright")["state"]).toBe("warn");
    bench.simulator.listen(port, { address: "0.0.0.0", image: "node.exe" });
    const wide = await doctor(bench);
    expect([wide.status, lineOf(wide, "playwright_leak")]).toMatchObject([
      1,
      { state: "fail", detail: expect.stringContaining("to whoever asks (GET /json), and it listens on 0.0.0.0") },
    ]);
  } finally {
    const ended = once(server, "close");
    server.kill("SIGTERM");
    await ended;
  }
});
