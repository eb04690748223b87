import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

/** Where the two versions lie. */
const PACKAGES = {
  "playwright-core": import.meta.resolve("playwright-core/package.json"),
  "playwright-core-old": import.meta.resolve("playwright-core-old/package.json"),
};
const LAUNCHER = resolve(import.meta.dirname, "../../src/host/playwright/assets/launch-server.js");
/** Of Playwright 1.65; the number follows its version (`browsers.json`). */
const FFMPEG = "ffmpeg-1013/ffmpeg-linux";
/** What Debian's Chromium needs in a container, as root. */
export const CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

/** How a test wants its browser server. */
export interface BrowserServerOptions {
  readonly wsPath: string;
  /** The package that it runs; default the one that we ship. */
  readonly playwright?: keyof typeof PACKAGES;
  /** False: the machine has no ffmpeg, so nothing can be recorded. */
  readonly ffmpeg?: boolean;
  readonly port?: number;
  /** More options for it. */
  readonly options?: readonly string[];
  /** More variables for it. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The launcher that we ship, running with Debian's Chromium in a process of its own. */
export interface BrowserServer {
  readonly port: number;
  /** What stands for its folder on Windows. */
  readonly folder: string;
  readonly process: ChildProcess;
  /** All that it printed. */
  output(): string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** Makes the folder of a server as an installation does: the launcher, the secret, Playwright beside it. */
export function makeServerFolder({
  wsPath,
  playwright = "playwright-core",
  ffmpeg = true,
}: BrowserServerOptions): string {
  const folder = mkdtempSync(join(tmpdir(), "browser-server-"));
  copyFileSync(LAUNCHER, join(folder, "launch-server.js"));
  writeFileSync(join(folder, "ws_path.txt"), wsPath, { mode: 0o600 });
  linkPlaywright(join(folder, "node_modules"), playwright);
  mkdirSync(join(folder, "browsers", dirname(FFMPEG)), { recursive: true });
  if (ffmpeg) symlinkSync("/usr/bin/ffmpeg", join(folder, "browsers", FFMPEG));
  return folder;
}

/** Makes a version of Playwright the one of a folder node_modules. */
export function linkPlaywright(modules: string, version: keyof typeof PACKAGES): void {
  mkdirSync(modules, { recursive: true });
  const place = join(modules, "playwright-core");
  rmSync(place, { force: true });
  symlinkSync(dirname(fileURLToPath(PACKAGES[version])), place);
}

/** Runs the launcher of a folder; returns at once. */
export function launch(
  folder: string,
  port: number,
  { environment = {}, options = [] }: Partial<BrowserServerOptions> = {},
): BrowserServer {
  const child = spawn(process.execPath, [join(folder, "launch-server.js"), "--port", String(port), ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      PLAYWRIGHT_BROWSERS_PATH: join(folder, "browsers"),
      WINDLASS_CHROMIUM: "/usr/bin/chromium",
      WINDLASS_CHROMIUM_ARGS: JSON.stringify(CHROMIUM_ARGS),
      ...environment,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "close").then(([code]) => code as number | null);
  return {
    port,
    folder,
    process: child,
    output: () => output,
    ended,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a browser server and waits until it listens. */
export async function startBrowserServer(options: BrowserServerOptions): Promise<BrowserServer> {
  const folder = makeServerFolder(options);
  const server = launch(folder, options.port ?? (await freePort()), options);
  const facts = join(folder, "run/server.json");
  let code: number | null | undefined;
  void server.ended.then((ended) => (code = ended));
  await until(() => (code !== undefined || existsSync(facts) ? true : undefined), {
    what: "the browser server listens",
  });
  if (code !== undefined) throw new Error(`the browser server ended with ${code}: ${server.output()}`);
  return server;
}

/** Kills the browser of a server, which is its only child. */
export function killBrowser(serverPid: number | undefined): void {
  const children = readFileSync(`/proc/${serverPid}/task/${serverPid}/children`, "utf8").match(/\d+/g);
  const pid = Number(children?.[0]);
  // Zero would be the test's own group.
  if (!(pid > 1)) throw new Error(`the server ${serverPid} has no browser`);
  process.kill(pid, "SIGKILL");
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
