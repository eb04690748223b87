import { closeSync } from "node:fs";
import type { Environment } from "../environment.ts";
import type { Program } from "../program.ts";
import { runBatch } from "./batch.ts";
import { type Builtin, builtinOf } from "./builtins.ts";
import { holds } from "./condition.ts";
import { expandDelayed } from "./delayed.ts";
import { startExternal } from "./external.ts";
import { type Handles, openRedirections, STANDARD } from "./handles.ts";
import { parseLine } from "./parse.ts";
import { type BatchArguments, expandPercent, type Variables } from "./percent.ts";
import { runPipe } from "./pipe.ts";
import { type Command, type SimpleCommand, SyntaxFault } from "./syntax.ts";

/** Why nothing more of a line, of a batch file or of the shell is run. */
export type Leave =
  | { readonly kind: "shell" }
  | { readonly kind: "batch" }
  | { readonly kind: "label"; readonly label: string };

/** A batch file that runs. */
export interface BatchFrame {
  arguments: BatchArguments;
  readonly text: string;
  /** Environments of `setlocal`. */
  readonly saved: { readonly environment: Environment; readonly delayedExpansion: boolean; readonly cwd: string }[];
}

/** A shell: its variables, its current folder and the code of the last command. */
export class Interpreter {
  readonly program: Program;
  environment: Environment;
  delayedExpansion: boolean;
  echoes = true;
  /** What `%ERRORLEVEL%` says. */
  errorLevel = 0;
  /** What the shell ends with: the code of the last command, whether or not it set `%ERRORLEVEL%`. */
  exitCode = 0;
  leave: Leave | undefined;
  handles: Handles = STANDARD;
  batch: BatchFrame | undefined;

  constructor(program: Program, { delayedExpansion = false }: { readonly delayedExpansion?: boolean } = {}) {
    this.program = program;
    this.environment = program.environment;
    this.delayedExpansion = delayedExpansion;
  }

  get cwd(): string {
    return this.program.cwd;
  }

  get variables(): Variables {
    return { get: (name) => this.environment.get(name) ?? this.#dynamic(name.toUpperCase()) };
  }

  /** Runs one line as it stands on a command line. */
  async runLine(line: string): Promise<void> {
    await this.runExpanded(expandPercent(line, this.variables));
  }

  /** Runs a line whose `%…%` are done. */
  async runExpanded(line: string): Promise<void> {
    try {
      await this.run(parseLine(line));
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      this.fail(error.message, 255);
      this.exitCode = 255;
      if (this.batch !== undefined) this.leave = { kind: "batch" };
    }
  }

  /** A shell that was given no command: every line of its input, with a prompt before each. */
  async readInput(): Promise<void> {
    this.out(
      `Microsoft Windows [Version ${this.program.machine.settings.osVersion}]\r\n(c) Microsoft Corporation. All rights reserved.\r\n`,
    );
    const lines = this.program.readAll().toString("utf8").split(/\r?\n/).slice(0, -1);
    for (const line of lines) {
      this.out(`\r\n${this.cwd}>${line}\r\n`);
      await this.runLine(line);
      if (this.leave !== undefined) return;
    }
    this.exitCode = this.errorLevel;
  }

  async run(command: Command): Promise<void> {
    if (this.leave !== undefined) return;
    switch (command.kind) {
      case "nothing":
        return;
      case "chain":
        await this.run(command.left);
        if (command.operator === "&&" && this.exitCode !== 0) return;
        if (command.operator === "||" && this.exitCode === 0) return;
        return this.run(command.right);
      case "pipe":
        return this.finish(await runPipe(this, command.sides));
      case "if":
        // A condition that does not hold leaves the codes as they are.
        if (holds(command, this)) return this.run(command.then);
        return command.otherwise === undefined ? undefined : this.run(command.otherwise);
      case "group":
        return this.#redirected(command.redirections, () => this.run(command.body));
      case "simple":
        return this.#redirected(command.redirections, () => this.#simple(command));
    }
  }

  /** Sets both codes. */
  finish(code: number): void {
    this.errorLevel = code;
    this.exitCode = code;
  }

  out(text: string): void {
    this.#write(this.program.encode(text), this.handles[1]);
  }

  outBytes(bytes: Uint8Array): void {
    this.#write(bytes, this.handles[1]);
  }

  /** Says what is wrong, on standard error, and sets the codes. */
  fail(message: string, code = 1): void {
    this.finish(code);
    this.#write(this.program.encode(`${message}\r\n`), this.handles[2]);
  }

  async #simple({ text }: SimpleCommand): Promise<void> {
    const line = (this.delayedExpansion ? expandDelayed(text, this.variables) : text).trimStart();
    if (line.trim() === "") return;
    const builtin = builtinOf(line, this);
    if (builtin !== undefined) return this.#runBuiltin(builtin);
    const external = await startExternal(line, this);
    if (external.kind === "batch") return runBatch(this, external, { returns: this.batch === undefined });
    if (external.kind === "ended") return this.finish(external.code);
    this.fail(external.message, external.code);
    // `cmd /c` ends with 1 (https://github.com/nodejs/node/issues/36855) although %ERRORLEVEL% is 9009, the number of the
    // message MSG_DIR_BAD_COMMAND_OR_FILE.
    this.exitCode = 1;
  }

  async #runBuiltin(builtin: Builtin): Promise<void> {
    const code = await builtin.run(builtin.rest, this);
    if (code !== undefined) this.finish(code);
    // `echo` and its like leave %ERRORLEVEL% alone, but have succeeded.
    else this.exitCode = 0;
  }

  async #redirected(redirections: SimpleCommand["redirections"], action: () => Promise<void>): Promise<void> {
    if (redirections.length === 0) return action();
    const opened = openRedirections(redirections, this);
    if (opened.kind === "failed") {
      // The shell's own code is 1; %ERRORLEVEL% keeps what it was (https://zzz.buzz/2016/12/27/file-not-found-errors-in-cmd-exe/).
      const { errorLevel } = this;
      this.fail(opened.message);
      this.errorLevel = errorLevel;
      return;
    }
    const before = this.handles;
    this.handles = opened.handles;
    try {
      await action();
    } finally {
      this.handles = before;
      for (const descriptor of opened.opened) closeSync(descriptor);
    }
  }

  #write(bytes: Uint8Array, descriptor: number): void {
    try {
      this.program.writeBytes(bytes, descriptor);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
      // cmd says so on its standard error and goes on with the next command.
      this.finish(1);
    }
  }

  #dynamic(name: string): string | undefined {
    switch (name) {
      case "ERRORLEVEL":
        return String(this.errorLevel | 0);
      case "CD":
        return this.cwd;
      case "CMDCMDLINE":
        return this.program.commandLine;
      case "CMDEXTVERSION":
        return "2";
      case "RANDOM":
        return String(Math.floor(Math.random() * 32_768));
      default:
        return undefined;
    }
  }
}
