import { closeSync, openSync } from "node:fs";
import { NotModelled } from "../not-modelled.ts";
import { realPath } from "../windows-path.ts";
import type { Interpreter } from "./interpreter.ts";
import type { Redirection } from "./syntax.ts";

/** Real descriptors of the standard handles. */
export type Handles = readonly [number, number, number];

export const STANDARD: Handles = [0, 1, 2];

const FLAGS = { "<": "r", ">": "w", ">>": "a" } as const;

/** Opens files and copies handles, from left to right. */
export function openRedirections(
  redirections: readonly Redirection[],
  shell: Interpreter,
):
  | { readonly kind: "opened"; readonly handles: Handles; readonly opened: readonly number[] }
  | { readonly kind: "failed"; readonly message: string } {
  const handles: [number, number, number] = [...shell.handles];
  const opened: number[] = [];
  for (const redirection of redirections) {
    const { handle } = redirection;
    if (!isStandard(handle)) throw new NotModelled(`handle ${handle} in a redirection`);
    if (redirection.kind === "copy") {
      if (!isStandard(redirection.source)) throw new NotModelled(`handle ${redirection.source} in a redirection`);
      handles[handle] = handles[redirection.source];
      continue;
    }
    const descriptor = open(redirection, shell);
    if (typeof descriptor === "string") {
      for (const one of opened) closeSync(one);
      return { kind: "failed", message: descriptor };
    }
    opened.push(descriptor);
    handles[handle] = descriptor;
  }
  return { kind: "opened", handles, opened };
}

/** A descriptor, or what cmd says. */
function open({ target, mode }: Extract<Redirection, { kind: "file" }>, shell: Interpreter): number | string {
  const path = realPath(shell.program.context.folder, target, shell.cwd);
  if (path === undefined) return "The system cannot find the drive specified.";
  try {
    return openSync(path, FLAGS[mode]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EISDIR" || code === "EACCES") return "Access is denied.";
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    return mode === "<" ? "The system cannot find the file specified." : "The system cannot find the path specified.";
  }
}

function isStandard(handle: number): handle is 0 | 1 | 2 {
  return handle >= 0 && handle <= 2;
}
