import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

const PROGRAM = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
/** Compiled once for all of them: a start costs half as much. */
const COMPILED = join(tmpdir(), `windlass-test-compiled-${process.getuid?.() ?? 0}`);

/** What a finished call of the program left. */
export interface Finished {
  /** `null` when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a call differs from the others of its folder. */
export interface CallOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A call of the program that runs. */
export class RunningCli {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Finished>;
  #stdout = "";
  #stderr = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#ended = once(child, "close").then(([status, signal]) => ({
      status: status as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when one of its streams holds a text. */
  async says(text: string): Promise<void> {
    const look = (): true | undefined => (`${this.#stdout}\n${this.#stderr}`.includes(text) ? true : undefined);
    await until(look, { what: `${JSON.stringify(text)} in ${this.#stdout}${this.#stderr}` }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#stdout}\n${this.#stderr}`);
    });
  }

  /** Nobody reads its standard output any more. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get ended(): Promise<Finished> {
    return this.#ended;
  }
}

/** A project folder with the program to call in it; nothing of the machine's own configuration is seen. */
export class CliFolder implements AsyncDisposable {
  readonly path: string;
  readonly #running = new Set<RunningCli>();

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), "windlass-cli-"));
    mkdirSync(join(this.path, ".windlass"));
  }

  /** The program as a shell calls it: two words without spaces. */
  get program(): string {
    return `${process.execPath} ${PROGRAM}`;
  }

  /** Writes a file below the folder. @returns its absolute path. */
  write(path: string, text: string): string {
    const absolute = join(this.path, path);
    mkdirSync(dirname(absolute), { recursive: true });
    writeFileSync(absolute, text);
    return absolute;
  }

  start(args: readonly string[], { stdin, env = {}, cwd = this.path }: CallOptions = {}): RunningCli {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd,
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: this.path, NODE_COMPILE_CACHE: COMPILED, ...env },
    });
    if (stdin !== undefined) child.stdin?.end(stdin);
    const running = new RunningCli(child);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  call(args: readonly string[], options: CallOptions = {}): Promise<Finished> {
    return this.start(args, options).ended;
  }

  /** Calls on a terminal of its own; `undefined` where `script` (util-linux) is missing. Standard error shows there too. */
  async onTerminal(
    args: readonly string[],
    {
      columns = 80,
      onText = () => undefined,
      ...env
    }: {
      readonly columns?: number;
      /** Is given all that was shown by now, each time that there is more. */
      readonly onText?: (text: string) => void;
      readonly NO_COLOR?: string;
    } = {},
  ): Promise<string | undefined> {
    const quoted = [process.execPath, PROGRAM, ...args].map((text) => `'${text.replaceAll("'", "'\\''")}'`).join(" ");
    const child = spawn("script", ["-qec", `stty cols ${columns}; ${quoted}`, "/dev/null"], {
      cwd: this.path,
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], HOME: this.path, TERM: "xterm", NODE_COMPILE_CACHE: COMPILED, ...env },
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      onText(text);
    });
    const isMissing = await once(child, "close").then(
      () => false,
      () => true,
    );
    return isMissing ? undefined : text.replaceAll("\r\n", "\n");
  }

  /** Calls with `--json` and reads the one value on standard output. */
  async json<T = Record<string, unknown>>(
    args: readonly string[],
    options: CallOptions = {},
  ): Promise<Finished & { readonly value: T }> {
    const finished = await this.call(["--json", ...args], options);
    return { ...finished, value: JSON.parse(finished.stdout) as T };
  }

  /** Starts a worker and waits until it works. */
  async worker(args: readonly string[] = [], options: CallOptions = {}): Promise<RunningCli> {
    const worker = this.start(["worker", ...args], options);
    await worker.says("worker started");
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) running.kill("SIGKILL");
    await Promise.all([...this.#running].map((running) => running.ended));
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The pairs of a line of `key=value`. */
export function pairsOf(line: string): Readonly<Record<string, string>> {
  const pairs = [...line.matchAll(/([A-Za-z0-9_.-]+)=("(?:[^"\\]|\\.)*"|[^ ]*)/g)];
  return Object.fromEntries(
    pairs.map(([, key = "", value = ""]) => [key, value.startsWith('"') ? (JSON.parse(value) as string) : value]),
  );
}
