import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, win32 } from "node:path";
import { fileURLToPath } from "node:url";
import { splitCommandLine } from "./command-line.ts";
import type { Environment } from "./environment.ts";
import { type Executable, type NotExecutable, readExecutable } from "./executables.ts";
import { type ProcessContext, realEnvironment, VARIABLES } from "./process-context.ts";
import { MARK } from "./processes.ts";
import { realPath } from "./windows-path.ts";

const RUN_PROGRAM = fileURLToPath(new URL("./run-program.ts", import.meta.url));
const NODE_PRELOAD = new URL("./node-preload.ts", import.meta.url).href;
const CMD = "C:\\Windows\\System32\\cmd.exe";

/** As `CreateProcess` takes it. */
export interface StartRequest {
  /** Whole Windows path of the program (see `findCommand`, `findProgram`). */
  readonly image: string;
  /** The raw line, program name included: what the program splits for itself. */
  readonly commandLine: string;
  /** Windows path. */
  readonly cwd: string;
  readonly environment: Environment;
  readonly context: ProcessContext;
  readonly stdio: StdioOptions;
  /** Lives on when whoever started it is ended by its process group. */
  readonly detached?: boolean;
}

/** A program that runs. */
export interface StartedProgram {
  readonly kind: "started";
  readonly pid: number;
  /** The real process; its exit code is the last 8 bits only. */
  readonly child: ChildProcess;
  /** The unsigned 32-bit exit code; 1 when it was ended from outside, as `TerminateProcess(…, 1)` leaves it. */
  readonly ended: Promise<number>;
}

/** Starts a program of the machine as a real process. */
export function startProgram(request: StartRequest): StartedProgram | NotExecutable {
  const executable = readExecutable(request.context.folder, request.image);
  if (executable.kind === "error") return executable;
  if (executable.kind === "batch") {
    return startProgram({ ...request, image: CMD, commandLine: `cmd.exe /c "${request.commandLine}"` });
  }
  const exitFile = join(request.context.folder, "exits", randomUUID());
  const { program, args, variables } = realProgram(executable, request);
  const child = spawn(program, args, {
    cwd: realPath(request.context.folder, request.cwd, request.cwd) ?? request.context.folder,
    env: {
      ...realEnvironment(request.context, request.environment),
      ...variables,
      [VARIABLES.image]: request.image,
      [VARIABLES.cwd]: request.cwd,
      [VARIABLES.exitFile]: exitFile,
    },
    stdio: request.stdio,
    detached: request.detached ?? false,
  });
  const exited = once(child, "exit").then(([code]) => exitCode(exitFile, code as number | null));
  exited.catch(() => {});
  return { kind: "started", pid: child.pid ?? 0, child, ended: exited };
}

interface RealProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

function realProgram(executable: Exclude<Executable, { kind: "batch" }>, request: StartRequest): RealProgram {
  const { folder } = request.context;
  const profile = realPath(folder, request.environment.get("USERPROFILE") ?? "C:\\", "C:\\") ?? folder;
  const temporary = realPath(folder, request.environment.get("TEMP") ?? "C:\\Windows\\TEMP", "C:\\") ?? folder;
  const variables = { HOME: profile, TMPDIR: temporary };
  switch (executable.kind) {
    case "module":
      return { program: process.execPath, args: moduleArguments(executable.target, request.commandLine), variables };
    case "node":
      return {
        program: process.execPath,
        args: ["--import", NODE_PRELOAD, ...nodeArguments(request)],
        variables: { ...variables, ...browserVariables(request) },
      };
    case "linux":
      return { program: executable.target, args: splitCommandLine(request.commandLine).slice(1), variables };
  }
}

/** Arguments of the real Node for a program of the simulator. */
export function moduleArguments(module: string, commandLine: string): readonly string[] {
  return ["--disable-warning=ExperimentalWarning", RUN_PROGRAM, module, MARK, commandLine];
}

/**
 * The script (the first that is no option), and what else names something on the disk: the real Node opens it by the real
 * system's rules.
 */
function nodeArguments({ commandLine, context, cwd }: StartRequest): readonly string[] {
  const args = splitCommandLine(commandLine).slice(1);
  const takesText = new Set(["-e", "--eval", "-p", "--print", "-pe"]);
  const at = args.findIndex((argument) => !argument.startsWith("-"));
  if (at === -1 || takesText.has(args[at - 1] ?? "")) return args;
  const script = realPath(context.folder, args[at] ?? "", cwd) ?? args[at] ?? "";
  const rest = args.slice(at + 1).map((argument) => realIfThere(context.folder, argument));
  return [...args.slice(0, at), script, ...rest];
}

function realIfThere(folder: string, argument: string): string {
  const real = /^c:[\\/]/i.test(argument) ? realPath(folder, argument, "C:\\") : undefined;
  return real !== undefined && existsSync(real) ? real : argument;
}

/** Playwright on the real Node opens this folder by the real system's rules. */
function browserVariables({ environment, context }: StartRequest): Readonly<Record<string, string>> {
  const path = environment.get("PLAYWRIGHT_BROWSERS_PATH");
  const real = path === undefined || !/^[a-z]:/i.test(path) ? undefined : realPath(context.folder, path, "C:\\");
  return real === undefined ? {} : { PLAYWRIGHT_BROWSERS_PATH: real };
}

/** What the program wrote down; a program of the real system has only its 8 bits. */
function exitCode(file: string, code: number | null): number {
  if (existsSync(file)) {
    const written = Number(readFileSync(file, "utf8"));
    rmSync(file, { force: true });
    return written;
  }
  return code ?? 1;
}

/** The name by which a program is known in messages and lists. */
export function imageName(path: string): string {
  return win32.basename(path);
}
