import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
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
  for (const folder of (environment.get("Path") ?? "").split(";")) {
    for (const file of filesIn(context.folder, folder)) {
      const path = `${folder.replace(/\\+$/, "")}\\${file}`;
      for (const name of namesOf(file)) makeShim(context.folder, path, join(shims, name));
    }
  }
  return shims;
}

function makeShim(folder: string, path: string, shim: string): void {
  if (existsSync(shim)) return;
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

/** Batch files keep their ending: it is what tells them from programs. PATHEXT writes endings in capitals. */
function namesOf(file: string): readonly string[] {
  const [, stem = "", ending = ""] = IS_PROGRAM.exec(file) ?? [];
  const stems = [stem, stem.toLowerCase()];
  const whole = stems.flatMap((name) => [`${name}.${ending.toLowerCase()}`, `${name}.${ending.toUpperCase()}`]);
  return /^(bat|cmd)$/i.test(ending) ? whole : [...whole, ...stems];
}

function filesIn(folder: string, path: string): readonly string[] {
  const real = realPath(folder, path, "C:\\");
  if (real === undefined || !existsSync(real)) return [];
  return readdirSync(real).filter((file) => IS_PROGRAM.test(file));
}
