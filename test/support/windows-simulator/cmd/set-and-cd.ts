import { statSync } from "node:fs";
import { NotModelled } from "../not-modelled.ts";
import { realPath, wholePath } from "../windows-path.ts";
import type { Interpreter } from "./interpreter.ts";

/** `set`, `set PREFIX`, `set NAME=value`, `set "NAME=value"`. */
export function set(rest: string, shell: Interpreter): number | undefined {
  const text = rest.replace(/^[\s,;]+/, "");
  if (/^\/[ap]/i.test(text)) throw new NotModelled(`set ${text.slice(0, 2)} of cmd`);
  // The last quote closes; whatever stands behind it is dropped.
  const last = text.lastIndexOf('"');
  const pair = text.startsWith('"') ? text.slice(1, last > 0 ? last : undefined) : text;
  const equals = pair.indexOf("=", 1);
  if (equals === -1) return list(pair.trim(), shell);
  const name = pair.slice(0, equals);
  const value = pair.slice(equals + 1);
  if (value === "") shell.environment.delete(name);
  else shell.environment.set(name, value);
  return undefined;
}

function list(prefix: string, shell: Interpreter): number | undefined {
  const entries = shell.environment.entries().filter(([name]) => name.toUpperCase().startsWith(prefix.toUpperCase()));
  for (const [name, value] of entries) shell.out(`${name}=${value}\r\n`);
  if (entries.length > 0) return 0;
  shell.fail(`Environment variable ${prefix} not defined`);
  return 1;
}

export function printFolder(shell: Interpreter): number {
  shell.out(`${shell.cwd}\r\n`);
  return 0;
}

/** `cd` takes the rest of the line as one path, blanks included. */
export function changeFolder(rest: string, shell: Interpreter): number {
  const path = rest
    .replace(/^\s*\/d(?=\s)/i, "")
    .replaceAll('"', "")
    .trim();
  const real = realPath(shell.program.context.folder, path, shell.cwd);
  if (real === undefined) return said(shell, "The system cannot find the drive specified.");
  const stat = statSync(real, { throwIfNoEntry: false });
  if (stat === undefined) return said(shell, "The system cannot find the path specified.");
  if (!stat.isDirectory()) return said(shell, "The directory name is invalid.");
  shell.program.cwd = wholePath(path, shell.cwd);
  return 0;
}

function said(shell: Interpreter, message: string): number {
  shell.fail(message);
  return 1;
}
