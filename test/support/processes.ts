import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { WorkerEvent } from "../../src/backend/serving.ts";
import type { ErrorRecord } from "../../src/error.ts";
import { until } from "./until.ts";
import type { WorkerOrder } from "./worker-process.ts";

const PROGRAM = fileURLToPath(new URL("./worker-process.ts", import.meta.url));
/** Compiled once for all of them: a start costs half as much. */
const COMPILED = join(tmpdir(), `windlass-test-compiled-${process.getuid?.() ?? 0}`);

/** One line of a worker process. */
export interface Told {
  readonly ready?: string;
  readonly event?: WorkerEvent;
  readonly acked?: string;
  readonly name?: string;
  readonly cancels?: string;
  readonly failed?: ErrorRecord;
  readonly stopped?: true;
}

/** A worker in a process of its own. */
export class WorkerProcess {
  readonly told: Told[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #looks = new Set<() => void>();
  #errors = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "exit");
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => {
        this.told.push(JSON.parse(line) as Told);
        for (const look of this.#looks) look();
      });
  }

  /** Starts it; {@link ready} resolves when it works. */
  static start(order: WorkerOrder, environment: Readonly<Record<string, string>> = {}): WorkerProcess {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(order)], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: COMPILED, ...environment },
    });
    return new WorkerProcess(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** What it printed on its standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Resolves with its id as soon as it serves. */
  async ready(): Promise<string> {
    return (await this.says(({ ready }) => ready !== undefined, "ready")).ready ?? "";
  }

  /** Resolves with the first line for which this holds. */
  async says(holds: (line: Told) => boolean, what: string): Promise<Told> {
    const found = await until(
      () => {
        const line = this.told.find(holds);
        if (line !== undefined) return { line };
        const failed = this.told.find((told) => told.failed !== undefined)?.failed;
        if (failed !== undefined) throw new Error(`the worker process failed: ${failed.code}: ${failed.message}`);
        if (this.hasExited) throw new Error(`the worker process ended before it said ${what}: ${this.#errors}`);
        return undefined;
      },
      { what: `a worker process that says ${what}` },
    );
    return found.line;
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it in a way that it cannot see; resolves when it is gone. */
  async kill(): Promise<void> {
    this.send("SIGKILL");
    await this.exit();
  }

  /** Stops it (SIGSTOP); resolves when the kernel says so. */
  async freeze(): Promise<void> {
    this.send("SIGSTOP");
    await until(() => (/^State:\s+T/m.test(readFileSync(`/proc/${this.pid}/status`, "utf8")) ? true : undefined), {
      what: `process ${this.pid} is stopped`,
    });
  }

  thaw(): void {
    this.send("SIGCONT");
  }

  /** Resolves when it has ended. */
  async exit(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    if (!this.hasExited) await this.#exited;
    return { code: this.#child.exitCode, signal: this.#child.signalCode };
  }
}
