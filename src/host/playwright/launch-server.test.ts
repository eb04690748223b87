import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  type BrowserServer,
  type BrowserServerOptions,
  freePort,
  killBrowser,
  launch,
  makeServerFolder,
  startBrowserServer,
} from "../../../test/support/browser-server.ts";
import { needs } from "../../../test/support/system.ts";
import { systemClock } from "../../clock.ts";
import { leaksPath } from "./leak.ts";

needs("chromium");

const CANARY = "canary-1f7c0b5e92d84";
const limits = { clock: systemClock, timeoutMs: 5_000, signal: new AbortController().signal };

let server: BrowserServer;
beforeAll(async () => {
  server = await startBrowserServer({ wsPath: CANARY });
});
afterAll(() => server.stop());

function factsOf({ folder }: BrowserServer): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, "run/server.json"), "utf8"));
}

/** Everything that a server printed or left in its folder, but for the secret itself. */
function traces({ folder, output }: BrowserServer): string {
  const files = readdirSync(join(folder, "run")).map((name) => readFileSync(join(folder, "run", name), "utf8"));
  return [output(), ...files].join("\n");
}

/** What becomes of a server that cannot start. */
async function failing(
  folder: string,
  { environment = { WINDLASS_CHROMIUM: "/bin/false" }, options = [] }: Partial<BrowserServerOptions> = {},
): Promise<{ code: number | null; output: string }> {
  const own = launch(folder, await freePort(), { environment, options });
  onTestFinished(() => own.stop());
  return { code: await own.ended, output: own.output() };
}

test("it says who it is, listens on loopback only, and prints no endpoint", async () => {
  expect(factsOf(server)).toMatchObject({
    pid: server.process.pid,
    version: "1.65.1",
    bind: "127.0.0.1",
    port: server.port,
  });
  const browser = await chromium.connect(`ws://127.0.0.1:${server.port}/${CANARY}`);
  expect(browser.version()).toMatch(/^\d+\./);
  await browser.close();
  const address = `\\w{8}:${server.port.toString(16).toUpperCase().padStart(4, "0")}`;
  const listening = readFileSync("/proc/net/tcp", "utf8").match(new RegExp(`: ${address} 00000000:0000 0A`, "g"));
  expect(listening).toEqual([expect.stringContaining(": 0100007F:")]);
  expect(traces(server)).not.toContain(CANARY);
  expect(traces(server)).not.toContain("ws://");
});

test("it tells its path to nobody, where a plain Playwright server does", async () => {
  expect(await leaksPath({ host: "127.0.0.1", port: server.port }, limits)).toBe(false);
  const answer = await fetch(`http://127.0.0.1:${server.port}/json`);
  expect([answer.status, await answer.text()]).toEqual([200, "Running"]);
  const plain = await chromium.launchServer({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox"],
    wsPath: CANARY,
  });
  onTestFinished(() => plain.close());
  const port = Number(new URL(plain.wsEndpoint()).port);
  expect(await leaksPath({ host: "localhost", port }, limits)).toBe(true);
});

test("a server that cannot be asked does not count as tight", async () => {
  const asking = leaksPath({ host: "127.0.0.1", port: await freePort() }, limits);
  await expect(asking).rejects.toMatchObject({ code: "HOST_UNREACHABLE" });
});

test("it ends with 1 when its browser dies, so that its task starts it again", async () => {
  const own = await startBrowserServer({ wsPath: CANARY });
  onTestFinished(() => own.stop());
  killBrowser(own.process.pid);
  expect(await own.ended).toBe(1);
  expect(own.output()).toContain('level=error component=playwright msg="the browser ended"');
  expect(readdirSync(join(own.folder, "run"))).toEqual(["server.log"]);
  expect(traces(own)).not.toContain(CANARY);
});

test("it ends with 0 when it is told to", async () => {
  const own = await startBrowserServer({ wsPath: CANARY });
  await own.stop();
  expect(await own.ended).toBe(0);
});

test("it refuses a taken port before any browser is launched", async () => {
  const folder = makeServerFolder({ wsPath: CANARY });
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // With this program instead of a browser a launch would be another error.
  const second = launch(folder, server.port, { environment: { WINDLASS_CHROMIUM: "/bin/false" } });
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(`port ${server.port} of 127.0.0.1 is taken`);
});

test.each([
  ["an empty path", "", "ws_path.txt is empty"],
  ["a browser that does not start", CANARY, "the browser does not start: "],
])("%s: it says so and ends with 1", async (_what, wsPath, said) => {
  const { code, output } = await failing(makeServerFolder({ wsPath }));
  expect([code, output]).toEqual([1, expect.stringContaining(said)]);
  expect(output).not.toContain(CANARY);
});

test("without Playwright it says what to type and where it looked", async () => {
  const folder = makeServerFolder({ wsPath: CANARY });
  rmSync(join(folder, "node_modules"), { recursive: true });
  const { code, output } = await failing(folder);
  expect(code).toBe(1);
  const said = `playwright is not installed; run \`npm install playwright\` in ${folder} (looked in ${folder}/node_modules, `;
  expect(output).toContain(said);
});

test.each(["NODE_PATH", "npm_config_prefix"])("Playwright that is installed globally counts: %s", async (variable) => {
  const folder = makeServerFolder({ wsPath: CANARY });
  const global = join(folder, "global/lib/node_modules");
  mkdirSync(join(folder, "global/lib"), { recursive: true });
  renameSync(join(folder, "node_modules"), global);
  const environment = { [variable]: variable === "NODE_PATH" ? global : join(folder, "global") };
  const { output } = await failing(folder, { environment: { ...environment, WINDLASS_CHROMIUM: "/bin/false" } });
  expect(output).toContain("the browser does not start");
});

test.each(["module", "commonjs"])("it runs where a package.json says %s", async (type) => {
  const folder = makeServerFolder({ wsPath: CANARY });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type }));
  const { output } = await failing(folder);
  expect(output).toContain("the browser does not start");
});

test("debug output of Playwright, which holds the endpoint, stays off", async () => {
  const own = await startBrowserServer({ wsPath: CANARY, environment: { DEBUG: "*", PWDEBUG: "console" } });
  onTestFinished(() => own.stop());
  const browser = await chromium.connect(`ws://127.0.0.1:${own.port}/${CANARY}`);
  await browser.close();
  expect(traces(own)).not.toContain(CANARY);
});

test.each([
  [["--prot", "1"], "unknown option --prot"],
  [["--bind"], "--bind needs a value"],
  [["--port", "0"], "--port is not 1 to 65535"],
])("%j: %s", async (options, said) => {
  const { code, output } = await failing(makeServerFolder({ wsPath: CANARY }), { options });
  expect([code, output]).toEqual([1, expect.stringContaining(said)]);
});
