import { readFileSync } from "node:fs";
import { win32 } from "node:path";
import { consoleCodePage, decodeIn } from "../console.ts";
import { realPath } from "../windows-path.ts";
import type { BatchFrame, Interpreter } from "./interpreter.ts";
import { expandPercent } from "./percent.ts";

/** A batch file and what stands behind its name, raw. */
export interface BatchCall {
  readonly path: string;
  readonly name: string;
  readonly rest: string;
}

/** Runs a batch file; one that was not `call`ed from another does not come back to it. */
export async function runBatch(
  shell: Interpreter,
  { path, name, rest }: BatchCall,
  { returns }: { readonly returns: boolean },
): Promise<void> {
  const real = realPath(shell.program.context.folder, path, shell.cwd) ?? path;
  const { context, machine } = shell.program;
  const codePage = consoleCodePage(context) ?? machine.settings.codePage;
  const text = decodeIn(readFileSync(real), codePage).replaceAll("\r\n", "\n");
  const words = [name, ...batchWords(rest)];
  const frame = {
    arguments: { words, rest: rest.trim(), path: win32.resolve(shell.cwd, path), cwd: shell.cwd },
    text,
    saved: [],
  };
  await runFrame(shell, frame, 0);
  if (!returns && shell.leave === undefined) shell.leave = { kind: "batch" };
}

/** Runs the lines of a batch file from a place on, and what its `goto`s lead to. */
export async function runFrame(shell: Interpreter, frame: BatchFrame, start: number): Promise<void> {
  const outer = shell.batch;
  shell.batch = frame;
  let at: number | undefined = start;
  while (at !== undefined && at < frame.text.length) {
    const { line, end } = nextCommand(frame.text, at);
    at = end;
    if (line.trim() === "" || /^\s*:/.test(line)) continue;
    await runBatchLine(shell, frame, line);
    const leave: Interpreter["leave"] = shell.leave;
    if (leave === undefined) continue;
    if (leave.kind === "label") {
      shell.leave = undefined;
      at = findLabel(frame.text, leave.label);
      if (at === undefined) shell.fail(`The system cannot find the batch label specified - ${leave.label}`);
      continue;
    }
    if (leave.kind === "batch") shell.leave = undefined;
    break;
  }
  restoreAll(shell, frame);
  shell.batch = outer;
}

async function runBatchLine(shell: Interpreter, frame: BatchFrame, line: string): Promise<void> {
  const expanded = expandPercent(line, shell.variables, frame.arguments);
  // Weaker than cmd, which prints brackets and operators in its own way.
  if (shell.echoes && !/^[\s,;=]*@/.test(expanded)) shell.out(`\r\n${shell.cwd}>${expanded.trim()} \r\n`);
  await shell.runExpanded(expanded);
}

/** One line, or several while a bracket or a caret at the end keeps it open. */
function nextCommand(text: string, start: number): { readonly line: string; readonly end: number } {
  let end = start;
  do {
    const newline = text.indexOf("\n", end);
    end = newline === -1 ? text.length : newline + 1;
  } while (end < text.length && isOpen(text.slice(start, end)));
  return { line: text.slice(start, end).replace(/\n$/, ""), end };
}

/** Counts brackets that open a group: at the start of a command, or behind `if …` and `else`. */
function isOpen(text: string): boolean {
  if (/\^\n$/.test(text)) return true;
  const bare = text.replaceAll(/\^[^\n]|"[^"\n]*"?/g, "_");
  if (/^\s*(@\s*)?(rem\b|:)/i.test(bare)) return false;
  const opened = bare.match(/(?:^|[&|(]|\belse\b|\bif\b[^&|()\n]*)\s*@?\s*\(/gi)?.length ?? 0;
  const closed = bare.match(/\)/g)?.length ?? 0;
  return opened > closed;
}

/** Where the lines behind a label begin; `:eof` is the end. */
export function findLabel(text: string, label: string): number | undefined {
  if (label.toLowerCase() === "eof") return text.length;
  for (const match of text.matchAll(/^[ \t]*:[ \t]*([^\s:+&|<>,;=]+).*(?:\n|$)/gm)) {
    if (match[1]?.toLowerCase() === label.toLowerCase()) return match.index + match[0].length;
  }
  return undefined;
}

/** Arguments of a batch file: blanks, commas, semicolons and equals signs separate, quotes stay. */
export function batchWords(rest: string): readonly string[] {
  return rest.match(/(?:"[^"]*"?|[^\s,;="])+/g) ?? [];
}

function restoreAll(shell: Interpreter, frame: BatchFrame): void {
  const first = frame.saved[0];
  if (first === undefined) return;
  shell.environment = first.environment;
  shell.delayedExpansion = first.delayedExpansion;
  shell.program.cwd = first.cwd;
}
