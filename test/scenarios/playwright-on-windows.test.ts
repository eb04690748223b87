import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROMIUM_ARGS, freePort, killBrowser, linkPlaywright } from "../support/browser-server.ts";
import { CliFolder, type Finished } from "../support/cli.ts";
import { needs } from "../support/system.ts";
import { until } from "../support/until.ts";
import { sidOf } from "../support/windows-simulator/accounts.ts";
import { startWindowsSimulator, type WindowsSimulator } from "../support/windows-simulator/simulator.ts";

// In the place of Windows stands the simulator: a real sshd, tasks that run the launcher that we ship on the real Node, with
// Debian's Chromium. The tests build on each other, as the days of an installation do.
needs("ssh", "sshd", "chromium", "ffmpeg");

const FOLDER = "C:\\ProgramData\\win-automation\\playwright";
const FIRST = "canary-9a4e61f07bd25c38";
const SECOND = "canary-2b8d53c1e6f7a094";

let windows: WindowsSimulator;
let cli: CliFolder;
let site = "";
const web = http.createServer((_request, response) => response.end("<title>Inside</title>"));
let secret = FIRST;

beforeAll(async () => {
  windows = await startWindowsSimulator({
    environment: {
      WINDLASS_CHROMIUM: "/usr/bin/chromium",
      WINDLASS_CHROMIUM_ARGS: JSON.stringify(CHROMIUM_ARGS),
      PLAYWRIGHT_BROWSERS_PATH: "C:\\browsers",
      // Chromium's socket lies below: the real path of the usual folder is too long for one.
      TEMP: "C:\\Temp",
    },
    restartIntervalShortenedToMs: 50,
  });
  const ffmpeg = windows.path("C:\\browsers\\ffmpeg-1013");
  mkdirSync(ffmpeg, { recursive: true });
  mkdirSync(windows.path("C:\\Temp"));
  symlinkSync("/usr/bin/ffmpeg", join(ffmpeg, "ffmpeg-linux"));
  cli = new CliFolder();
  // Windows and this machine share their loopback here: "auto" would see the port answer.
  const playwright = { port: await freePort(), tunnel: "on" };
  cli.write(
    ".windlass/config.yaml",
    JSON.stringify({ windows: windows.config(), playwright, artifacts: { out_dir: "kept" } }),
  );
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  site = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  web.close();
  await cli[Symbol.asyncDispose]();
  await windows.stop();
});

function call(...words: string[]): Promise<Finished> {
  return cli.call(words, { env: { WINDLASS_PLAYWRIGHT_WS_PATH: secret, WINDLASS_TIMEOUT: "20s" } });
}

function installPlaywright(version: "playwright-core" | "playwright-core-old"): void {
  linkPlaywright(windows.path(`${FOLDER}\\node_modules`), version);
}

/** Every file below a folder as one text. */
function bytesBelow(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  return names
    .filter((name) => statSync(name, { throwIfNoEntry: false })?.isFile() === true)
    .map((name) => readFileSync(name, "latin1"))
    .join("\n");
}

test("without a secret path nothing is asked of the machine", async () => {
  const { status, stderr } = await cli.call(["playwright", "install"]);
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^config error: playwright\.ws_path is not set; /)]);
});

test("without Playwright on the machine the installation says what to type there", async () => {
  const { status, stdout, stderr } = await call("playwright", "install");
  expect([status, stdout]).toEqual([3, "state=error component=playwright err=missing_playwright\n"]);
  expect(stderr).toContain("npm install --global playwright");
});

test("before it is installed nobody answers", async () => {
  installPlaywright("playwright-core");
  const { status, stdout } = await call("playwright", "health");
  expect([status, stdout]).toEqual([3, "state=error component=playwright err=unreachable\n"]);
});

test("a folder that somebody else made is refused, and so is an account that the machine does not know", async () => {
  windows.machine.putAccess(FOLDER, { owner: "S-1-5-21-7-7-7-1007" });
  const { status, stdout, stderr } = await call("playwright", "install");
  windows.machine.putAccess(FOLDER, { owner: "S-1-5-32-544" });
  expect([status, stdout]).toEqual([1, "state=error component=playwright err=not_installed\n"]);
  expect(stderr).toContain("playwright on default belongs to an account that is no administrator");
  const unknown = await call("playwright", "install", "--run-as", "nobody");
  expect(unknown).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("run_as nobody is no account of default"),
  });
  expect(readdirSync(windows.path(FOLDER))).toEqual(["node_modules"]);
});

test("it is installed: the files, the secret, a task without time limit that starts again after a failure", async () => {
  const { status, stdout } = await call("playwright", "install");
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^state=installed component=playwright host=default /)]);
  expect(stdout).toMatch(/ bind=127\.0\.0\.1 account=\S+ version=1\.65\.1 changed=true\n$/);
  expect(readdirSync(windows.path(FOLDER)).toSorted()).toEqual([
    "install-playwright.ps1",
    "launch-server.js",
    "node_modules",
    "run",
    "ws_path.txt",
  ]);
  expect(windows.machine.task("WinAutomation-Playwright")).toMatchObject({
    execute: '"C:\\Program Files\\nodejs\\node.exe"',
    arguments: expect.stringMatching(
      /^"C:\\ProgramData\\win-automation\\playwright\\launch-server\.js" --port \d+ --bind 127\.0\.0\.1 --modules "C:\\ProgramData\\win-automation\\playwright\\node_modules" --browsers "C:\\browsers"$/,
    ),
    executionTimeLimit: "PT0S",
    restartCount: 999,
    multipleInstances: "IgnoreNew",
    runLevel: "Limited",
    logonType: "S4U",
  });
  for (const [folder, rights] of [
    [FOLDER, "ReadAndExecute"],
    [`${FOLDER}\\run`, "Modify"],
  ]) {
    expect(windows.machine.access(folder ?? "")).toEqual({
      owner: "S-1-5-32-544",
      isProtected: true,
      rules: [
        "Allow FullControl to S-1-5-32-544 (ContainerInherit, ObjectInherit, None)",
        "Allow FullControl to S-1-5-18 (ContainerInherit, ObjectInherit, None)",
        `Allow ${rights} to ${sidOf("operator")} (ContainerInherit, ObjectInherit, None)`,
      ],
    });
  }
});

test("it is healthy through SSH, and a page leaves its evidence on this side", async () => {
  const health = await call("playwright", "health");
  expect([health.status, health.stdout]).toEqual([
    0,
    expect.stringContaining("state=ok component=playwright host=default via=ssh version=1.65.1"),
  ]);
  const run = await call("run", "playwright.run", "--url", site, "--screenshot", "--trace", "--video", "--json");
  expect(run).toMatchObject({ status: 0 });
  expect(JSON.parse(run.stdout)).toMatchObject({ state: "completed" });
  const kept = readdirSync(cli.path, { recursive: true, encoding: "utf8" }).filter((name) =>
    /(png|zip|webm)$/.test(name),
  );
  expect(kept.map((name) => name.replace(/^.*\/playwright\//, "")).toSorted()).toEqual([
    "screenshot.png",
    "trace.zip",
    "video.webm",
  ]);
});

test("a browser that dies is started again by its task", async () => {
  const facts = windows.path(`${FOLDER}\\run\\server.json`);
  const { pid } = JSON.parse(readFileSync(facts, "utf8"));
  killBrowser(pid);
  const runsAgain = () => existsSync(facts) && JSON.parse(readFileSync(facts, "utf8")).pid !== pid;
  await until(() => (runsAgain() ? true : undefined), { what: "the server runs again" });
  expect(windows.events("task.restarting")).toHaveLength(1);
  expect(await call("playwright", "health")).toMatchObject({ status: 0 });
});

test("another secret is refused until the server has it: then it is restarted with the new one", async () => {
  secret = SECOND;
  const refused = await call("playwright", "health");
  expect([refused.status, refused.stdout]).toEqual([3, "state=error component=playwright err=ws_path_rejected\n"]);
  expect((await call("playwright", "install")).stdout).toContain("changed=true");
  expect(await call("playwright", "health")).toMatchObject({ status: 0 });
  expect((await call("playwright", "install")).stdout).toContain("changed=false");
});

test("another version of Playwright is told, also to a job", async () => {
  installPlaywright("playwright-core-old");
  expect(await call("playwright", "install")).toMatchObject({ status: 0 });
  const { status, stdout } = await call("playwright", "health");
  const versions = "server_version=1.60.0 client_version=1.65.1";
  expect([status, stdout]).toEqual([3, `state=error component=playwright err=version_mismatch ${versions}\n`]);
  expect(await call("run", "playwright.run", "--url", site)).toMatchObject({ status: 3 });
});

test("on every address it is installed with a warning", async () => {
  const { stdout } = await call("playwright", "install", "--bind", "0.0.0.0", "--run-as", "SYSTEM");
  expect(stdout).toContain('warning="0.0.0.0: whoever reaches port');
  expect(stdout).toContain('warning="SYSTEM: whoever knows the secret path owns the machine');
});

test("without Node on the machine the installation says so", async () => {
  rmSync(windows.path("C:\\Program Files\\nodejs\\node.exe"));
  const { status, stdout } = await call("playwright", "install");
  expect([status, stdout]).toEqual([3, "state=error component=playwright err=missing_node\n"]);
});

test("the secrets stand in one file of the machine and nowhere else", () => {
  const here = bytesBelow(cli.path);
  const events = JSON.stringify(windows.events());
  rmSync(windows.path(`${FOLDER}\\ws_path.txt`));
  rmSync(windows.path(`${FOLDER}\\node_modules`), { recursive: true });
  const there = bytesBelow(windows.root);
  for (const canary of [FIRST, SECOND]) for (const text of [here, events, there]) expect(text).not.toContain(canary);
});
