import { readSync, writeSync } from "node:fs";
import { afterProgramName, splitCommandLine } from "./command-line.ts";
import { encodeText } from "./console.ts";
import type { Environment } from "./environment.ts";
import { ownContext, ownEnvironment, type ProcessContext, required, VARIABLES } from "./process-context.ts";
import { Machine } from "./state.ts";

/** What a module of a program exports as `main`: returns the 32-bit exit code. */
export type Main = (program: Program) => number | Promise<number>;

/** The process of a Windows program: what it was started with, and its standard handles. */
export class Program {
  /** Whole Windows path of the program. */
  readonly image = required(VARIABLES.image);
  readonly commandLine: string;
  readonly context: ProcessContext = ownContext();
  readonly environment: Environment = ownEnvironment();
  cwd = required(VARIABLES.cwd);
  #machine: Machine | undefined;

  constructor(commandLine: string) {
    this.commandLine = commandLine;
  }

  /** Without the program's name, by the rules of the C runtime. */
  get args(): readonly string[] {
    return splitCommandLine(this.commandLine).slice(1);
  }

  /** Raw, behind the program's name. */
  get rawArguments(): string {
    return afterProgramName(this.commandLine);
  }

  get machine(): Machine {
    this.#machine ??= Machine.open(this.context.folder);
    return this.#machine;
  }

  /** Writes text in the console's code page; every `\n` must be a `\r\n` already. */
  write(text: string): void {
    this.writeBytes(this.encode(text));
  }

  /** As {@link write}, with a line end. */
  line(text = ""): void {
    this.write(`${text}\r\n`);
  }

  error(text: string): void {
    this.writeBytes(this.encode(text), 2);
  }

  encode(text: string): Buffer {
    return encodeText(text, this.context, () => this.machine.settings.codePage);
  }

  writeBytes(bytes: Uint8Array, descriptor = 1): void {
    for (let at = 0; at < bytes.length; ) at += untilReady(() => writeSync(descriptor, bytes, at));
  }

  /** The next bytes of its standard input; empty at its end. Blocks the process. */
  read(size = 65_536, descriptor = 0): Buffer {
    const buffer = Buffer.alloc(size);
    const length = untilReady(() => readSync(descriptor, buffer, 0, size, null));
    return buffer.subarray(0, length);
  }

  readAll(): Buffer {
    const chunks: Buffer[] = [];
    for (let chunk = this.read(); chunk.length > 0; chunk = this.read()) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

/** A handle that somebody has set to non-blocking is full or empty for a while only. */
function untilReady(action: () => number): number {
  for (;;) {
    try {
      return action();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}
