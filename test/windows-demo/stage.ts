import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startActionServer } from "../support/aloha-stand-in/action-server.ts";
import { startClient } from "../support/aloha-stand-in/client.ts";
import { freePort } from "../support/browser-server.ts";
import type { Finished } from "../support/cli.ts";
import { until } from "../support/until.ts";
import type { WindowsSimulator } from "../support/windows-simulator/simulator.ts";
import { ALOHA_LOG, startMachine } from "./machine.ts";
import { servePage } from "./page.ts";

const PROGRAM = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
/** Shared with the tests: a start costs half as much. */
const COMPILED = join(tmpdir(), `windlass-test-compiled-${process.getuid?.() ?? 0}`);
/** Seen from the folder. */
const PROGRAM_NAME = "bin/win-automation";
const LINE_LIMIT_MS = 60_000;

/** A worker in a process of its own. */
export interface DemoWorker {
  readonly pid: number;
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

/** All that the demonstration plays on: the simulated Windows machine, what runs on it, a folder, and the program in it. */
export class Stage implements AsyncDisposable {
  readonly windows: WindowsSimulator;
  /** Holds the evidence afterwards. */
  readonly folder: string;
  /** A page to look at. */
  readonly pageUrl: string;
  readonly #secret: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #workers = new Set<ChildProcess>();
  readonly #others: AsyncDisposableStack;

  private constructor(
    windows: WindowsSimulator,
    others: AsyncDisposableStack,
    { folder, pageUrl, secret }: { readonly folder: string; readonly pageUrl: string; readonly secret: string },
  ) {
    this.windows = windows;
    this.folder = folder;
    this.pageUrl = pageUrl;
    this.#secret = secret;
    this.#others = others;
    this.#env = {
      PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
      HOME: folder,
      // The socket of the shared login lies below, and its path must be short.
      XDG_RUNTIME_DIR: folder,
      NODE_COMPILE_CACHE: COMPILED,
      WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: secret,
    };
  }

  /** Starts the machine, a browser's surroundings on it, and Aloha's stand-in. */
  static async set(): Promise<Stage> {
    await using others = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), "windlass-demo-"));
    const windows = others.use(await startMachine(folder));
    const server = others.adopt(await startActionServer(), (running) => running.stop());
    const client = others.adopt(
      await startClient({
        logPath: windows.path(ALOHA_LOG),
        wait: () => new Promise<void>((resolve) => setImmediate(resolve)),
      }),
      (running) => running.stop(),
    );
    const page = others.use(await servePage());
    writeProgram(folder);
    writeConfig(folder, {
      windows: windows.config(),
      aloha: { client_url: client.url, server_url: server.url },
      // Windows and this machine share their loopback here: "auto" would see the port answer.
      playwright: { port: await freePort(), tunnel: "on" },
      worker: { lease: "2s" },
      supervisor: { settle: "500ms", good_probes: 1 },
      artifacts: { out_dir: "artifacts" },
      timeout: "30s",
    });
    const secret = randomBytes(24).toString("hex");
    return new Stage(windows, others.move(), { folder, pageUrl: page.url, secret });
  }

  /** Runs a line as a shell does, with the program in reach under its second name. */
  line(text: string): Promise<Finished> {
    return new Promise((resolve) => {
      const options = { cwd: this.folder, env: this.#env, timeout: LINE_LIMIT_MS, killSignal: "SIGKILL" } as const;
      const child = execFile("/bin/sh", ["-c", text], options, (_error, stdout, stderr) =>
        resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr }),
      );
    });
  }

  /** Starts `win-automation worker` and waits until it works. */
  async worker(name: string): Promise<DemoWorker> {
    const path = join(this.folder, `${name}.log`);
    const log = openSync(path, "a", 0o600);
    const child = spawn(join(this.folder, PROGRAM_NAME), ["worker"], {
      cwd: this.folder,
      env: this.#env,
      stdio: ["ignore", "ignore", log],
    });
    closeSync(log);
    this.#workers.add(child);
    const exited = once(child, "exit").finally(() => this.#workers.delete(child));
    await until(() => readFileSync(path, "utf8").includes("worker started") || undefined, { what: "the worker works" });
    return {
      pid: child.pid ?? 0,
      kill: async (signal) => {
        child.kill(signal);
        await exited;
      },
    };
  }

  /** Files of the evidence that hold the browser server's secret; asked when all has ended. */
  get leaks(): readonly string[] {
    const names = readdirSync(this.folder, { recursive: true, encoding: "utf8" });
    const files = names.map((name) => join(this.folder, name)).filter((path) => lstatSync(path).isFile());
    return files.filter((path) => readFileSync(path).includes(this.#secret));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) {
      worker.kill("SIGKILL");
      await once(worker, "exit");
    }
    await this.#others.disposeAsync();
  }
}

/** The program under its second name, on the Node that runs this. */
function writeProgram(folder: string): void {
  const path = join(folder, PROGRAM_NAME);
  mkdirSync(dirname(path));
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(path, 0o755);
}

function writeConfig(folder: string, config: Readonly<Record<string, unknown>>): void {
  mkdirSync(join(folder, ".windlass"), { mode: 0o700 });
  writeFileSync(join(folder, ".windlass", "config.yaml"), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
