import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readExecutable } from "../executables.ts";
import type { Program } from "../program.ts";
import { realPath } from "../windows-path.ts";

const SHIM = fileURLToPath(new URL("./shim.ts", import.meta.url));
const IS_PROGRAM = /^(.+)\.(exe|com|bat|cmd)$/i;

/** A folder with a script for every program on the machine's Path, under the names by which Windows would find it. */
export function makeShims({ context, environment }: Program): string {
  const shims = join(context.folder, "shims");
  mkdirSync(shims, { recursive: true });
  const present = new Set<string>();
  for (const folder of (environment.get("Path") ?? "").split(";")) {
    for (const file of filesIn(context.folder, folder)) {
      const path = `${folder.replace(/\\+$/, "")}\\${file}`;
      for (const name of namesOf(file)) {
        if (!present.has(name)) makeShim(context.folder, path, join(shims, name));
        present.add(name);
      }
    }
  }
  // A program that was removed since.
  for (const name of readdirSync(shims)) if (!present.has(name)) rmSync(join(shims, name), { force: true });
  return shims;
}

/** The machine's own path of a program that the real PowerShell found as one of these scripts, quoted or not. */
export function programBehind(text: string, folder: string): string {
  const shims = join(folder, "shims");
  const path = text.replaceAll('"', "").replaceAll("\\", "/");
  const name = path.startsWith(`${shims}/`) ? path.slice(shims.length + 1) : undefined;
  if (name === undefined || !isThere(join(shims, name)) || lstatSync(join(shims, name)).isSymbolicLink()) return text;
  const [, program = text] = /'([^']*)' "\$@"\n$/.exec(readFileSync(join(shims, name), "utf8")) ?? [];
  return text.startsWith('"') ? `"${program}"` : program;
}

function makeShim(folder: string, path: string, shim: string): void {
  if (isThere(shim)) return;
  const executable = readExecutable(folder, path);
  if (executable.kind === "error") return;
  // The real program itself: a script in front of it would cost more than it.
  if (executable.kind === "linux") {
    symlinkSync(executable.target, shim);
    return;
  }
  const node = `'${process.execPath}' --disable-warning=ExperimentalWarning '${SHIM}'`;
  writeFileSync(shim, `#!/bin/sh\nexec ${node} '${path}' "$@"\n`, { mode: 0o755 });
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Batch files keep their ending: it is what tells them from programs. PATHEXT writes endings in capitals. */
function namesOf(file: string): readonly string[] {
  const [, stem = "", ending = ""] = IS_PROGRAM.exec(file) ?? [];
  const stems = [stem, stem.toLowerCase()];
  const whole = stems.flatMap((name) => [`${name}.${ending.toLowerCase()}`, `${name}.${ending.toUpperCase()}`]);
  return /^(bat|cmd)$/i.test(ending) ? whole : [...whole, ...stems];
}

function filesIn(folder: string, path: string): readonly string[] {
  const real = realPath(folder, path, "C:\\");
  if (real === undefined) return [];
  try {
    return readdirSync(real).filter((file) => IS_PROGRAM.test(file));
  } catch {
    return [];
  }
}
