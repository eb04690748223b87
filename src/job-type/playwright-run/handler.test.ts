import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { type BrowserServer, freePort, killBrowser, startBrowserServer } from "../../../test/support/browser-server.ts";
import { standInHost, versionAnswer } from "../../../test/support/host-access.ts";
import { needs } from "../../../test/support/system.ts";
import type { EffectContext } from "../../attempt/handlers.ts";
import { systemClock } from "../../clock.ts";
import { AppError, exitStatusOf } from "../../error.ts";
import type { ServerParts } from "../../host/playwright/server-parts.ts";
import { clientVersion } from "../../host/playwright/version.ts";
import { readWsPath } from "../../host/playwright/ws-path.ts";
import { playwrightRunHandlers } from "./handler.ts";
import { type PlaywrightRunResult, playwrightRun } from "./playwright-run.ts";

needs("chromium", "ffmpeg");

const CANARY = "canary-5d81f0aa37c6e";
const PNG = "89504e470d0a1a0a";

let server: BrowserServer;
let site = "";
/** Requests that are never answered say so here. */
let hung: (request: http.IncomingMessage) => void = () => {};
const web = http.createServer((request, response) => {
  const html = (text: string, status = 200): void => {
    response.writeHead(status, { "content-type": "text/html" }).end(text);
  };
  const pages: Readonly<Record<string, () => void>> = {
    "/": () => html("<title>Hello</title><body style='background:#0a0'>hi"),
    "/moved": () => response.writeHead(302, { location: "/?q=1" }).end(),
    "/missing": () => html("<title>Nothing</title>", 404),
    "/hang": () => hung(request),
    "/busy": () => html("<title>Busy</title><script>fetch('/hang'); setTimeout(() => { for (;;); }, 20)</script>"),
    "/slow-image": () => html("<title>Slow</title><img src=/hang>"),
    "/download": () => response.writeHead(200, { "content-disposition": "attachment" }).end("x"),
    "/dialog": () => html("<title>Asks</title><script>alert(1); confirm('?')</script>"),
    "/cut": () => request.socket.destroy(),
    "/cookie": () => {
      response.setHeader("set-cookie", "seen=1");
      html(`<title>${request.headers.cookie ?? "new"}</title>`);
    },
  };
  (pages[request.url?.split("?")[0] ?? ""] ?? (() => html("", 404)))();
});

beforeAll(async () => {
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  site = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  server = await startBrowserServer({ wsPath: CANARY });
});
afterAll(async () => {
  web.closeAllConnections();
  web.close();
  await server.stop();
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "playwright-run-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Call {
  readonly signal?: AbortSignal;
  readonly parts?: Partial<ServerParts>;
  readonly server?: BrowserServer;
  readonly log?: string[];
}

async function visit(
  given: object,
  { signal, parts, server: own = server, log = [] }: Call = {},
): Promise<PlaywrightRunResult> {
  const host = standInHost({
    "playwright-version": () => versionAnswer(clientVersion()),
  });
  const serverOf = (hostName: string): ServerParts => ({
    hostName,
    server: { host: "127.0.0.1", port: own.port, tunnel: "auto" },
    wsPath: readWsPath(CANARY),
    clock: systemClock,
    timeoutMs: 5_000,
    openAccess: host.open,
    ...parts,
  });
  const write = (...said: unknown[]): void => void log.push(JSON.stringify(said));
  const ctx = {
    folder,
    signal: signal ?? new AbortController().signal,
    log: { info: write, warn: write, error: write },
  };
  const input = playwrightRun.input.parse(given);
  return playwrightRun.result.parse(
    await playwrightRunHandlers({ serverOf }).run(input as never, ctx as unknown as EffectContext),
  );
}

async function failure(given: object, call?: Call): Promise<Record<string, unknown>> {
  const error: unknown = await visit(given, call).then(
    (result) => result,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`not one of our errors: ${inspect(error)}`);
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(CANARY);
  const { code, message, details } = error;
  return { ...details, code, message, exit: exitStatusOf(code), again: playwrightRun.retryable?.(error) };
}

/** Kept files by name: their first bytes in hexadecimal. */
function kept(): Record<string, string> {
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const names = all.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(
    names.toSorted().map((name) => [name, readFileSync(join(folder, name)).toString("hex", 0, 8)]),
  );
}

test("a page is opened, and nothing is kept that was not asked for", async () => {
  const log: string[] = [];
  expect(await visit({ url: `${site}/moved` }, { log })).toEqual({
    title: "Hello",
    final_url: `${site}/?q=1`,
    status: 200,
    state: "completed",
  });
  expect(readdirSync(folder)).toEqual([]);
  expect(log.join()).toContain('"browser connected",{"host":"default","via":"direct"');
});

test("screenshot, trace and video are written here, for this account only, and hold no secret path", async () => {
  const log: string[] = [];
  const result = await visit({ url: site, screenshot: true, trace: true, video: true }, { log });
  expect(kept()).toEqual({
    "playwright/screenshot.png": PNG,
    "playwright/trace.zip": expect.stringMatching(/^504b0304/),
    "playwright/video.webm": expect.stringMatching(/^1a45dfa3/),
  });
  const png = readFileSync(join(folder, "playwright/screenshot.png"));
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1280, 720]);
  for (const name of Object.keys(kept())) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  const unzip =
    "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nfor n in z.namelist(): sys.stdout.buffer.write(n.encode()+z.read(n))";
  const trace = execFileSync("python3", ["-c", unzip, join(folder, "playwright/trace.zip")]).toString("latin1");
  expect(trace).toContain("page.goto".replace("page.", ""));
  expect(trace + JSON.stringify(result) + log.join() + server.output()).not.toContain(CANARY);
});

test("a page that the server calls missing is open all the same", async () => {
  expect(await visit({ url: `${site}/missing` })).toMatchObject({ title: "Nothing", status: 404, state: "completed" });
});

test("a page that asks is answered no", async () => {
  expect(await visit({ url: `${site}/dialog` })).toMatchObject({ title: "Asks" });
});

test("each visit has a context of its own", async () => {
  await visit({ url: `${site}/cookie` });
  expect(await visit({ url: `${site}/cookie` })).toMatchObject({ title: "new" });
});

test("wait_until: a page whose image never comes is open before its load", async () => {
  expect(await visit({ url: `${site}/slow-image`, wait_until: "domcontentloaded" })).toMatchObject({ title: "Slow" });
  expect(await visit({ url: `${site}/slow-image`, wait_until: "commit" })).toMatchObject({ state: "completed" });
});

test.each([
  ["/cut", "net::ERR_EMPTY_RESPONSE", true],
  ["https://127.0.0.1:1/", "net::ERR_UNSAFE_PORT", false],
  ["http://nowhere.invalid/", "net::ERR_NAME_NOT_RESOLVED", false],
])("%s fails with %s, which may pass: %s", async (url, network, again) => {
  const found = await failure({ url: new URL(`${url}?token=t`, site).href, trace: true, screenshot: true });
  expect(found).toMatchObject({ code: "PAGE_FAILED", exit: 1, net_error: network, again });
  expect(found["message"]).not.toContain("token");
  expect(kept()).toEqual({ "playwright/screenshot.png": PNG, "playwright/trace.zip": expect.stringMatching(/^504b/) });
});

test("a port where nobody listens fails and may be tried again", async () => {
  const found = await failure({ url: `http://127.0.0.1:${await freePort()}/` });
  expect(found).toMatchObject({ code: "PAGE_FAILED", net_error: "net::ERR_CONNECTION_REFUSED", again: true });
});

test("a download is no page", async () => {
  const found = await failure({ url: `${site}/download` });
  expect(found).toMatchObject({ code: "PAGE_FAILED", exit: 1, again: false });
  expect(found["message"]).toContain("is a download and no page");
});

test("without ffmpeg on the browser's machine a video says what to type there", async () => {
  const own = await startBrowserServer({ wsPath: CANARY, ffmpeg: false });
  onTestFinished(() => own.stop());
  const found = await failure({ url: site, video: true }, { server: own });
  expect(found).toMatchObject({ code: "PREREQUISITE_MISSING", exit: 3, err: "missing_ffmpeg", again: false });
  expect(found["message"]).toContain("npx playwright install ffmpeg");
});

test("time runs out: the page is let go, and what it showed is kept", async () => {
  const control = new AbortController();
  hung = () => control.abort("timeout");
  const call = { signal: control.signal };
  const found = await failure({ url: `${site}/slow-image`, screenshot: true, trace: true, video: true }, call);
  expect(found).toMatchObject({ code: "TIMEOUT", exit: 4 });
  expect(Object.keys(kept())).toEqual(["playwright/screenshot.png", "playwright/trace.zip", "playwright/video.webm"]);
});

test.each([
  ["cancelled", "/hang", "CANCELLED"],
  ["stopping", "/hang", "CANCELLED"],
  ["lease_lost", "/hang", "LEASE_LOST"],
  ["cancelled", "/busy", "CANCELLED"],
  ["timeout", "/busy", "TIMEOUT"],
])("%s while %s: the connection ends and keeps nothing open on the server", async (reason, path, code) => {
  const control = new AbortController();
  const gone = Promise.withResolvers<void>();
  hung = ({ socket }) => {
    socket.once("close", () => gone.resolve());
    control.abort(reason);
  };
  const startedMs = performance.now();
  expect(await failure({ url: site + path, screenshot: true }, { signal: control.signal })).toMatchObject({ code });
  expect(performance.now() - startedMs).toBeLessThan(5_000);
  await gone.promise;
});

test("a browser that dies in the middle is told, and may be tried again", async () => {
  const own = await startBrowserServer({ wsPath: CANARY });
  onTestFinished(() => own.stop());
  hung = () => killBrowser(own.process.pid);
  const found = await failure({ url: `${site}/hang`, screenshot: true }, { server: own });
  expect(found).toMatchObject({ code: "HOST_UNREACHABLE", exit: 3, err: "unreachable", again: true });
  expect(found["message"]).toContain("ended the connection");
});

test("a file that cannot be written makes it partial, and says why", async () => {
  mkdirSync(join(folder, "playwright/screenshot.png"), { recursive: true });
  const found = await failure({ url: site, screenshot: true, trace: true });
  expect(found).toMatchObject({
    code: "ARTIFACT_MISSING",
    exit: 1,
    title: "Hello",
    final_url: `${site}/`,
    again: false,
  });
  expect(found["message"]).toContain("playwright/screenshot.png (EISDIR");
  expect(Object.keys(kept())).toContain("playwright/trace.zip");
});

test("many visits at once go through one tunnel each", async () => {
  const titles = await Promise.all(Array.from({ length: 6 }, (_, index) => visit({ url: `${site}/cookie?${index}` })));
  expect(new Set(titles.map(({ title }) => title))).toEqual(new Set(["new"]));
});

test("an attempt whose signal has fired connects to nothing", async () => {
  const listener = net.createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void listener.close());
  const found = await failure({ url: site }, { signal: AbortSignal.abort("timeout") });
  expect(found).toMatchObject({ code: "TIMEOUT" });
});
