import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type BrowserServer, freePort, startBrowserServer } from "../../../test/support/browser-server.ts";
import { type StandInHost, standInHost, versionAnswer } from "../../../test/support/host-access.ts";
import { needs } from "../../../test/support/system.ts";
import { systemClock } from "../../clock.ts";
import { AppError, exitStatusOf } from "../../error.ts";
import { connectBrowser } from "./connect-browser.ts";
import { checkHealth, lookAtServer } from "./health.ts";
import type { ServerParts } from "./server-parts.ts";
import { clientVersion } from "./version.ts";
import { readWsPath } from "./ws-path.ts";

needs("chromium");

const CANARY = "canary-1f7c0b5e92d84";
const never = new AbortController().signal;

let server: BrowserServer;
beforeAll(async () => {
  server = await startBrowserServer({ wsPath: CANARY });
});
afterAll(() => server.stop());

function hostWith(installed: string | null, running: string | null = null): StandInHost {
  return standInHost({ "playwright-version": () => versionAnswer(installed, running) });
}

function partsFor(change: Partial<ServerParts["server"]>, more: Partial<ServerParts> = {}): ServerParts {
  return {
    hostName: "default",
    server: { host: "127.0.0.1", port: server.port, tunnel: "auto", ...change },
    wsPath: readWsPath(CANARY),
    clock: systemClock,
    timeoutMs: 5_000,
    openAccess: hostWith(clientVersion()).open,
    ...more,
  };
}

/** The error of a call, with proof that it says the secret path nowhere. */
async function refused(call: Promise<unknown>): Promise<{ code: string; exit: number; err: unknown; message: string }> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`not one of our errors: ${inspect(error)}`);
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(CANARY);
  const { code, message, details } = error;
  return { code, exit: exitStatusOf(code), err: details["err"], message };
}

async function listening(listener: net.Server): Promise<number> {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  return (listener.address() as AddressInfo).port;
}

test("a sound server says its versions", async () => {
  const health = await checkHealth(partsFor({}), never);
  expect(health).toEqual({ via: "direct", version: "1.65.1", browserVersion: expect.stringMatching(/^\d+\.\d+/) });
});

test("a look from outside loads no Playwright and says that nothing leaks", async () => {
  expect(await lookAtServer(partsFor({}), never)).toEqual({ via: "direct", leaks: false });
});

test("auto goes through SSH where nobody answers here, and closes the tunnel", async () => {
  const [port, host] = [await freePort(), hostWith("1.65.9")];
  // The tunnel of the stand-in leads to the server; its own port is free on this machine.
  const openAccess = async () => {
    const access = await host.open();
    return { ...access, tunnel: () => access.tunnel({ host: "127.0.0.1", port: server.port }, { signal: never }) };
  };
  expect(await checkHealth(partsFor({ port }, { openAccess }), never)).toMatchObject({ via: "ssh" });
  const folder = '{"folder":"C:/ProgramData/win-automation/playwright"}';
  const tunnel = `tunnel 127.0.0.1:${server.port}`;
  expect(host.log).toEqual([tunnel, `playwright-version ${folder}`, "tunnel closed", "closed"]);
});

test.each([
  ["on", "ssh"],
  ["off", "direct"],
] as const)("tunnel %s goes %s, whoever answers here", async (tunnel, via) => {
  expect(await lookAtServer(partsFor({ tunnel }), never)).toMatchObject({ via });
});

test("a wrong path is told from another version, which it hides", async () => {
  const wsPath = readWsPath("wrong");
  const path = await refused(connectBrowser(partsFor({}, { wsPath }), never));
  expect(path).toMatchObject({ code: "PLAYWRIGHT_PATH_REJECTED", exit: 3, err: "ws_path_rejected" });
  const other = hostWith("1.60.0");
  const version = await refused(connectBrowser(partsFor({}, { wsPath, openAccess: other.open }), never));
  expect(version).toMatchObject({ code: "PLAYWRIGHT_VERSION_MISMATCH", exit: 3, err: "version_mismatch" });
  expect(other.log.at(-1)).toBe("closed");
});

test("a wrong path on a host that SSH does not reach is a wrong path", async () => {
  const openAccess = () => Promise.reject(new AppError("HOST_UNREACHABLE", "no ssh"));
  const parts = partsFor({}, { wsPath: readWsPath("wrong"), openAccess });
  expect(await refused(connectBrowser(parts, never))).toMatchObject({ err: "ws_path_rejected" });
});

test("through SSH the host's own word counts too, and that of a server that runs for more", async () => {
  const parts = (host: StandInHost) => partsFor({ tunnel: "on" }, { openAccess: host.open });
  const found = await refused(connectBrowser(parts(hostWith("1.60.0")), never));
  expect(found).toMatchObject({ exit: 3, err: "version_mismatch" });
  expect(found.message).toContain("has Playwright 1.60 and this program 1.65; run `npm install playwright@1.65.1`");
  expect(await lookAtServer(parts(hostWith("1.60.0", "1.65.0")), never)).toMatchObject({ via: "ssh" });
  expect(await lookAtServer(parts(hostWith(null)), never)).toMatchObject({ via: "ssh" });
});

test("a server of another version is refused by its own word", async () => {
  const old = await startBrowserServer({ wsPath: CANARY, playwright: "playwright-core-old" });
  onTestFinished(() => old.stop());
  const found = await refused(connectBrowser(partsFor({ port: old.port }), never));
  expect(found).toMatchObject({ code: "PLAYWRIGHT_VERSION_MISMATCH", exit: 3, err: "version_mismatch" });
  expect(found.message).toContain("has Playwright 1.60 and this program 1.65");
});

test("nobody listens: unreachable", async () => {
  const found = await refused(connectBrowser(partsFor({ port: await freePort(), tunnel: "off" }), never));
  expect(found).toMatchObject({ code: "HOST_UNREACHABLE", exit: 3, err: "unreachable" });
  expect(found.message).toContain("ECONNREFUSED");
});

test("a silent port: time ran out", async () => {
  const port = await listening(net.createServer((socket) => void socket.on("error", () => {})));
  const found = await refused(connectBrowser(partsFor({ port }, { timeoutMs: 200 }), never));
  expect(found).toMatchObject({ code: "TIMEOUT", exit: 4, err: "timeout" });
});

test.each([
  ["a web server", http.createServer((_request, response) => response.end("hello")), "status 200"],
  ["what is no HTTP", net.createServer((socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH\r\n")), "no HTTP"],
])("%s in its place is told", async (_what, listener, said) => {
  const found = await refused(connectBrowser(partsFor({ port: await listening(listener) }), never));
  expect(found).toMatchObject({ code: "HOST_UNREACHABLE", exit: 3, err: "not_playwright" });
  expect(found.message).toContain(said);
});

test("a server that breaks off after the first answer is unreachable, and its text is not repeated", async () => {
  let knocks = 0;
  const port = await listening(
    net.createServer((socket) => {
      socket.on("error", () => {});
      knocks += 1;
      socket.once("data", () =>
        knocks === 1
          ? socket.write("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
          : socket.end(`HTTP/1.1 500 /${CANARY}\r\n\r\n${CANARY}`),
      );
    }),
  );
  const found = await refused(connectBrowser(partsFor({ port, tunnel: "off" }), never));
  expect(found).toMatchObject({ code: "HOST_UNREACHABLE", exit: 3, err: "unreachable" });
});

test("a signal ends the connecting at once", async () => {
  const control = new AbortController();
  const silent = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => control.abort("cancelled"));
  });
  const port = await listening(silent);
  await expect(connectBrowser(partsFor({ port }), control.signal)).rejects.toBe("cancelled");
  await expect(connectBrowser(partsFor({ port }), AbortSignal.abort("timeout"))).rejects.toBe("timeout");
});

test("one who connects sees nothing of another and survives its end", async () => {
  const one = await connectBrowser(partsFor({}), never);
  const page = await one.browser.newPage();
  await using two = await connectBrowser(partsFor({}), never);
  expect(two.browser.contexts()).toEqual([]);
  const other = await two.browser.newPage();
  await one[Symbol.asyncDispose]();
  expect([page.isClosed(), other.isClosed(), one.browser.isConnected()]).toEqual([true, false, false]);
  expect(await other.evaluate("1 + 1")).toBe(2);
});
