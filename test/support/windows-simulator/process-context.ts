import { tmpdir } from "node:os";
import { join } from "node:path";
import { Environment } from "./environment.ts";
import { ROOT_VARIABLE } from "./state.ts";

/** What a process of the machine inherits beside its Windows environment; it stands in variables of its real one. */
export interface ProcessContext {
  /** The machine's folder. */
  readonly folder: string;
  /** Whoever shares it ends together (a kill-on-close job). */
  readonly job: string;
  /** The Windows session: 0 for services and for what comes over SSH. */
  readonly session: number;
  /** The account that it runs as. */
  readonly user: string;
}

export const VARIABLES = {
  root: ROOT_VARIABLE,
  job: "WINSIM_JOB",
  session: "WINSIM_SESSION",
  user: "WINSIM_USER",
  /** Windows path of the program of this process. */
  image: "WINSIM_IMAGE",
  /** Where the process writes its 32-bit exit code, which the real system cuts. */
  exitFile: "WINSIM_EXIT_FILE",
  /** Current folder as a Windows path. */
  cwd: "WINSIM_CWD",
} as const;

/** Compiled once for all processes of all machines: 120 ms of a start become 40. */
const COMPILED = join(tmpdir(), `windlass-windows-compiled-${process.getuid?.() ?? 0}`);

/** Variables of the real system that no Windows program sees. */
const REAL = new Set(["PATH", "HOME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_", "LANG", "NODE_COMPILE_CACHE"]);

/** The context of this process. */
export function ownContext(): ProcessContext {
  return {
    folder: required(VARIABLES.root),
    job: required(VARIABLES.job),
    session: Number(required(VARIABLES.session)),
    user: required(VARIABLES.user),
  };
}

/** The Windows environment of this process. */
export function ownEnvironment(): Environment {
  const entries = Object.entries(process.env).filter(([name]) => !REAL.has(name) && !name.startsWith("WINSIM_"));
  return new Environment(Object.fromEntries(entries));
}

/** The real variables of a new process. */
export function realEnvironment(context: ProcessContext, environment: Environment): Record<string, string> {
  // Names that are the real system's would reach its loader and Node under the wrong meaning.
  const windows = environment.entries().filter(([name]) => !REAL.has(name) && !name.startsWith("WINSIM_"));
  return {
    ...Object.fromEntries(windows),
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    LANG: "C.UTF-8",
    NODE_COMPILE_CACHE: COMPILED,
    [VARIABLES.root]: context.folder,
    [VARIABLES.job]: context.job,
    [VARIABLES.session]: String(context.session),
    [VARIABLES.user]: context.user,
  };
}

export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this process runs in no simulated machine`);
  return value;
}
