import { readFileSync, statSync } from "node:fs";
import { win32 } from "node:path";
import type { Environment } from "./environment.ts";
import { realPath, wholePath } from "./windows-path.ts";

/** What a file of the machine does when it is started; its text says so: `winsim <kind> <target>`. */
export type Executable =
  /** A program of the simulator: the module, seen from this folder. */
  | { readonly kind: "module"; readonly path: string; readonly target: string }
  /** The real Node. */
  | { readonly kind: "node"; readonly path: string }
  /** A program of the real system, given the arguments as they are. */
  | { readonly kind: "linux"; readonly path: string; readonly target: string }
  | { readonly kind: "batch"; readonly path: string };

/** Why a program is not started: the Win32 error. */
export type NotExecutable = { readonly kind: "error"; readonly code: 2 | 193; readonly message: string };

/** The text of an executable file. */
export function executableText(kind: "module" | "node" | "linux", target = ""): string {
  return `winsim ${kind} ${target}\n`;
}

/** Reads what the file at this Windows path is. */
export function readExecutable(folder: string, path: string): Executable | NotExecutable {
  const real = realPath(folder, path, "C:\\");
  if (real === undefined || !isFile(real)) {
    return { kind: "error", code: 2, message: "The system cannot find the file specified" };
  }
  if (/\.(bat|cmd)$/i.test(path)) return { kind: "batch", path };
  const [, kind, target = ""] = /^winsim (module|node|linux) ?(.*)\n$/.exec(readFileSync(real, "utf8")) ?? [];
  if (kind === "node") return { kind, path };
  if (kind === "module" || kind === "linux") return { kind, path, target };
  return { kind: "error", code: 193, message: "%1 is not a valid Win32 application" };
}

/** Where and for what to look. */
export interface Lookup {
  readonly folder: string;
  readonly cwd: string;
  readonly environment: Environment;
}

/**
 * As `cmd` finds a command: the current folder first, then `Path`; the name itself only where it has one of the endings
 * of `PATHEXT` (or any, where a folder stands in front of it), else the endings in their order.
 */
export function findCommand(name: string, { folder, cwd, environment }: Lookup): string | undefined {
  const endings = (environment.get("PATHEXT") ?? ".COM;.EXE;.BAT;.CMD").split(";").filter((ending) => ending !== "");
  return find(name, withEndings(name, endings), { folder, cwd, environment });
}

/**
 * As `CreateProcess` finds a program without a folder: the current folder, the system's, then `Path`; `.exe` is added
 * where the name has no ending.
 */
export function findProgram(name: string, { folder, cwd, environment }: Lookup): string | undefined {
  const system = new Map([["Path", `C:\\Windows\\system32;C:\\Windows;${environment.get("Path") ?? ""}`]]);
  const names = win32.extname(name) === "" ? [`${name}.exe`] : [name];
  return find(name, names, { folder, cwd, environment: { get: (variable: string) => system.get(variable) } });
}

function find(
  name: string,
  names: readonly string[],
  { folder, cwd, environment }: Omit<Lookup, "environment"> & { readonly environment: Pick<Environment, "get"> },
): string | undefined {
  const hasFolder = /[\\/:]/.test(name);
  const folders = hasFolder ? [cwd] : [cwd, ...(environment.get("Path") ?? "").split(";")];
  for (const parent of folders.filter((entry) => entry !== "")) {
    for (const candidate of names) {
      const whole = wholePath(candidate, wholePath(parent, cwd));
      const real = realPath(folder, whole, cwd);
      if (real !== undefined && isFile(real)) return whole;
    }
  }
  return undefined;
}

function withEndings(name: string, endings: readonly string[]): readonly string[] {
  const has = endings.some((ending) => name.toLowerCase().endsWith(ending.toLowerCase()));
  const added = endings.map((ending) => `${name}${ending.toLowerCase()}`);
  return has ? [name, ...added] : added;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // A word of a command may be longer than any name.
    return false;
  }
}
