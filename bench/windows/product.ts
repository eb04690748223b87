import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BackendWorker } from "../../src/backend/serving.ts";
import { systemClock } from "../../src/clock.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { findHost } from "../../src/host/inventory.ts";
import { PowerShellRunner } from "../../src/host/powershell/runner.ts";
import { SshConnection } from "../../src/host/ssh/connection.ts";
import { composeWindlass, type Windlass } from "../../src/windlass.ts";
import { ACTOR } from "../setup.ts";
import type { BenchMachine } from "./machine.ts";

const BIN = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
/** One word alone would be a line for a shell. */
const NOTHING = ["--"];
/** What .NET does on the first ones is not what the others cost. */
export const WARM_UP = 5;
const SETTLE_MS = 120_000;

/** One job by both clocks, in milliseconds. */
export interface JobTimes {
  /** From queued to completed, as the job itself says: whole milliseconds. */
  readonly own: number;
  /** From the call of `submit` until the caller was told that it has ended. */
  readonly caller: number;
}

/** The product as it is, in a folder of its own, with the machine in its configuration. */
export class BenchProduct implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #config: Config;
  readonly #windlass: Windlass;
  readonly #program: string;

  private constructor(
    folder: string,
    env: Readonly<Record<string, string>>,
    config: Config,
    windlass: Windlass,
    program: string,
  ) {
    this.#folder = folder;
    this.#env = env;
    this.#config = config;
    this.#windlass = windlass;
    this.#program = program;
  }

  static async open({ ssh, program }: BenchMachine): Promise<BenchProduct> {
    const folder = mkdtempSync(join(process.env["WINDLASS_BENCH_DIR"] ?? tmpdir(), "windlass-bench-"));
    mkdirSync(join(folder, ".windlass"));
    const windows = {
      ssh_host: "127.0.0.1",
      ssh_port: ssh.port,
      ssh_user: ssh.user,
      ssh_identity_file: ssh.identityFile,
      ssh_known_hosts: ssh.knownHosts,
    };
    writeFileSync(join(folder, ".windlass", "config.yaml"), JSON.stringify({ windows, timeout: "60s" }), {
      mode: 0o600,
    });
    const env = { HOME: folder, XDG_RUNTIME_DIR: folder, PATH: process.env["PATH"] ?? "" };
    const { config } = await loadConfig({ env, cwd: folder, home: folder });
    const windlass = await composeWindlass({ config, mode: "migrate", types: [], environment: {} });
    return new BenchProduct(folder, env, config, windlass, program);
  }

  /** A worker of this process. */
  worker(): Promise<BackendWorker> {
    return this.#windlass.serve({ concurrency: 16, labels: {}, onStuck: "report", claims: true });
  }

  /** A worker in a process of its own; the first job waits until it serves. */
  async otherWorker(): Promise<AsyncDisposable> {
    const child = this.#start(["worker"]);
    const exited = once(child, "exit");
    return {
      [Symbol.asyncDispose]: async () => {
        child.kill("SIGTERM");
        await exited;
      },
    };
  }

  /** One `windows.exec` job. */
  async job(): Promise<JobTimes> {
    const started = performance.now();
    const [id = ""] = await this.#submit(1);
    const { state, queuedAtMs, endedAtMs } = await this.#windlass.backend.settled(id, { withinMs: SETTLE_MS });
    if (state !== "completed") throw new Error(`${id} is ${state}`);
    return { own: (endedAtMs ?? 0) - queuedAtMs, caller: performance.now() - started };
  }

  /** Many jobs in one call. @returns milliseconds until the last has ended. */
  async jobs(count: number): Promise<number> {
    const started = performance.now();
    const ids = await this.#submit(count);
    const ends = await Promise.all(ids.map((id) => this.#windlass.backend.settled(id, { withinMs: SETTLE_MS })));
    if (ends.some(({ state }) => state !== "completed")) throw new Error("a job did not complete");
    return performance.now() - started;
  }

  /** A runner on a connection of its own; milliseconds for each of `times` commands. */
  async warmRunner(times: number): Promise<readonly number[]> {
    const { signal } = new AbortController();
    const connection = new SshConnection(findHost(this.#config), {
      clock: systemClock,
      timeoutMs: 60_000,
      controlFolder: join(this.#folder, "c"),
      ownMaster: true,
    });
    const took: number[] = [];
    {
      await using runner = await PowerShellRunner.start(connection, { clock: systemClock, signal });
      for (let n = -WARM_UP; n < times; n++) {
        const started = performance.now();
        const end = await runner.run({ argv: [this.#program] }, { timeoutMs: 60_000, signal });
        if (end.kind !== "exited" || end.code !== 0) throw new Error(JSON.stringify(end));
        if (n >= 0) took.push(performance.now() - started);
      }
    }
    await connection.close();
    return took;
  }

  /** The command line from its start to its end: Node, the database, ssh, PowerShell. */
  async cold(): Promise<number> {
    const started = performance.now();
    const child = this.#start(["windows", "exec", "--raw", "--", this.#program, ...NOTHING]);
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`windows exec ended with ${code}`);
    return performance.now() - started;
  }

  #start(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [BIN, ...args], {
      cwd: this.#folder,
      stdio: "ignore",
      env: { ...this.#env, NODE_COMPILE_CACHE: join(this.#folder, "compiled") },
    });
  }

  async #submit(count: number): Promise<readonly string[]> {
    const request = { type: "windows.exec", input: { command: [this.#program] }, options: {}, actor: ACTOR };
    const accepted = await this.#windlass.submit.submit(Array.from({ length: count }, () => request));
    return accepted.map(({ jobId }) => jobId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#windlass[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
