import { existsSync } from "node:fs";
import type { Program } from "../program.ts";
import { realPath } from "../windows-path.ts";

/** What a check printed and how it ended. */
export interface Checked {
  readonly code: number;
  readonly stdout: string;
}

const EXIT = /^exit (-?\d+)$/i;
const PRINT = /^Test-Path '([^']*)'$/i;
const BRANCH = /^if \(Test-Path '([^']*)'\) \{ exit (\d+) \} else \{ exit (\d+) \}$/i;
const TEXT = /^'([^']*)'$/;

/**
 * The PowerShell that the stand-in knows of what an operator may write, to the letter:
 *
 * - `exit N`
 * - `Test-Path 'PATH'` (prints True or False, exits 0)
 * - `if (Test-Path 'PATH') { exit N } else { exit M }`
 * - `'TEXT'` (prints it)
 *
 * @returns `undefined` for everything else.
 */
export function checkOf(text: string, program: Program): Checked | undefined {
  const line = text.trim();
  const exit = EXIT.exec(line);
  if (exit !== null) return { code: Number(exit[1]) >>> 0, stdout: "" };
  const print = PRINT.exec(line);
  if (print !== null) return { code: 0, stdout: isThere(print[1] ?? "", program) ? "True" : "False" };
  const branch = BRANCH.exec(line);
  if (branch !== null) return { code: Number(isThere(branch[1] ?? "", program) ? branch[2] : branch[3]), stdout: "" };
  const said = TEXT.exec(line);
  return said === null ? undefined : { code: 0, stdout: said[1] ?? "" };
}

function isThere(path: string, program: Program): boolean {
  const real = realPath(program.context.folder, path, program.cwd);
  return real !== undefined && existsSync(real);
}
