import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** How a program ended, and all that it printed. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how a program runs. */
export interface ProgramOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A program that a test started. */
export class StartedProgram {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #looks = new Set<() => void>();
  #stdout = "";
  #stderr = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#look();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    // "close": all output has been read.
    this.ended = once(child, "close").then(([code]) => {
      this.#look();
      return { code: code as number | null, stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  static start(program: string, args: readonly string[], { cwd, env }: ProgramOptions): StartedProgram {
    return new StartedProgram(spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  /** Resolves when it has printed this, on whichever stream. */
  prints(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#stdout.includes(text) || this.#stderr.includes(text)) resolve();
        else if (this.#child.exitCode !== null)
          reject(new Error(`it ended with ${this.#child.exitCode} before it printed ${text}: ${this.#stderr}`));
        else return;
        this.#looks.delete(look);
      };
      this.#looks.add(look);
      look();
    });
  }

  /** Asks it to end and waits for that. */
  async stop(): Promise<Ended> {
    this.#child.kill("SIGTERM");
    return this.ended;
  }

  /** Ends it whatever it does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  #look(): void {
    for (const look of [...this.#looks]) look();
  }
}

/** Runs a program to its end. */
export function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<Ended> {
  return StartedProgram.start(program, args, options).ended;
}
