import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { SHELL } from "./parent-script.ts";

/** How a program ended: by itself with a code, or by a signal. */
export type ProgramEnd =
  | { readonly exitCode: number; readonly signal: null }
  | { readonly exitCode: null; readonly signal: string };

/** What the program's parent has written so far. */
export type ExitRecord =
  /** Nothing yet, or it was killed before it could. */
  | { readonly kind: "open"; readonly words: string }
  /** The worker died before it said go: the program never ran and never will. */
  | { readonly kind: "not-run" }
  /** `announced`: the shell said that a signal ended the program. */
  | { readonly kind: "ended"; readonly status: number; readonly announced: boolean };

/** A record starts as this many blanks, so that the parent only overwrites: a full disk cannot lose an exit code. */
export const RECORD_BYTES = 128;

/** Reads the record; a missing file is an open record. */
export function readExitRecord(path: string): ExitRecord {
  try {
    return parseExitRecord(readFileSync(path, "utf8"));
  } catch {
    return { kind: "open", words: "" };
  }
}

/** Reads the text of a record. Only whole lines count, because it may be read in the middle of a write. */
export function parseExitRecord(text: string): ExitRecord {
  const lines = text.split("\n").slice(0, -1);
  if (lines.includes("not-run")) return { kind: "not-run" };
  const said = lines.slice(lines.indexOf("run") + 1);
  const last = said.at(-1);
  if (!lines.includes("run") || last === undefined || !/^\d{1,3}$/.test(last)) {
    return { kind: "open", words: text.trim() };
  }
  return { kind: "ended", status: Number(last), announced: said.length > 1 };
}

const SIGNAL_NAMES: ReadonlyMap<number, string> = new Map(
  // Later names of the same number are the rarer ones (SIGIOT for SIGABRT): the first stays.
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** Signals of whose doing no shell says a word. */
const UNANNOUNCED: readonly string[] = ["SIGINT", "SIGPIPE"];

/**
 * What a shell's `$?` means. Up to 128 it is the code. Above 256 (ksh, yash) it is a signal. Between, a shell writes
 * 128 + n for a signal, and so may a program: exact where the shell announces signals (dash, busybox), except 130 and
 * 141; those, and all where it does not (bash), are read as the signal, which they nearly always are.
 *
 * @param speaks whether this shell announces signals.
 */
export function decideEnd({ status, announced }: { status: number; announced: boolean }, speaks: boolean): ProgramEnd {
  const number = status > 256 ? status & 0x7f : status - 128;
  const name = SIGNAL_NAMES.get(number);
  const certain = announced || status > 256;
  if (certain && number > 0) return { exitCode: null, signal: name ?? `SIG${number}` };
  if (name === undefined || number <= 0 || (speaks && !UNANNOUNCED.includes(name))) {
    return { exitCode: status, signal: null };
  }
  return { exitCode: null, signal: name };
}

let speaking: Promise<boolean> | undefined;

/** The end that a record tells. Asks the shell about its habits only where the status leaves it open. */
export async function endOf(record: Extract<ExitRecord, { kind: "ended" }>): Promise<ProgramEnd> {
  if (record.status <= 128 || record.announced) return decideEnd(record, true);
  speaking ??= shellAnnounces(SHELL);
  return decideEnd(record, await speaking);
}

/** True when a shell writes a line after a signal ended what it ran: found out by having it kill a shell. */
export function shellAnnounces(shell: string): Promise<boolean> {
  return new Promise((resolve) => {
    const script = `( exec "$0" -c 'kill -s KILL "$$"' )\n:`;
    execFile(shell, ["-c", script, shell], { env: {} }, (_error, _stdout, stderr) => resolve(stderr.trim() !== ""));
  });
}
