import { type FSWatcher, watch } from "node:fs";
import { type Clock, every, pause } from "../../clock.ts";
import { endOf, type ProgramEnd, readExitRecord } from "./exit-record.ts";
import { notStarted } from "./find-executable.ts";
import { isAlive, type ProgramFiles, type ProgramId, type RunningProgram } from "./program.ts";

/** What is left of a program whose worker died. */
export type FoundProgram =
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly end: ProgramEnd }
  /** Its worker died before it said go; nothing was done. */
  | { readonly kind: "never-ran" }
  /** It is gone and left no record, as after a KILL of its whole group. */
  | { readonly kind: "gone" };

/** Looks for a program of this boot of this machine. */
export async function findProgram(id: ProgramId, { record }: ProgramFiles): Promise<FoundProgram> {
  // Alive first: a record that is written in between is then found by the look at it. A parent that has just written one
  // still has to end what the program left behind, so it counts as running.
  const alive = isAlive(id);
  const left = readExitRecord(record);
  if (alive && left.kind !== "not-run") return { kind: "running" };
  if (left.kind === "ended") return { kind: "ended", end: await endOf(left) };
  return { kind: left.kind === "not-run" ? "never-ran" : "gone" };
}

/**
 * Stays with a program that is not a child of this process. Its end is seen at once where files can be watched, else
 * within `pollMs`.
 */
export function adoptProgram(
  id: ProgramId,
  files: ProgramFiles,
  { clock, pollMs }: { readonly clock: Clock; readonly pollMs: number },
): RunningProgram {
  let stop = (): void => {};
  const over = new Promise<void>((resolve) => {
    const look = (): void => {
      const open = readExitRecord(files.record).kind === "open";
      if (!open || !isAlive(id)) resolve();
    };
    const watcher = watchFile(files.record, look);
    const stopPolling = every(clock, watcher === undefined ? Math.min(pollMs, UNWATCHED_POLL_MS) : pollMs, look);
    stop = () => {
      watcher?.close();
      stopPolling();
    };
    look();
  });
  const ended = over.then(() => {
    stop();
    return endOfAdopted(id, { record: files.record, clock });
  });
  ended.catch(() => {});
  return { id, files, ended, letGo: () => stop() };
}

/** Looking costs two short reads; without a watcher it is done this often. */
const UNWATCHED_POLL_MS = 20;

/** The parent still has to send a TERM to what the program left behind; it takes less than a millisecond. */
const PARENT_WAIT_MS = 1_000;
const PARENT_POLL_MS = 2;

async function endOfAdopted(
  id: ProgramId,
  { record: path, clock }: { record: string; clock: Clock },
): Promise<ProgramEnd> {
  const deadlineMs = clock.monotonic() + PARENT_WAIT_MS;
  while (isAlive(id) && clock.monotonic() < deadlineMs) await pause(clock, PARENT_POLL_MS);
  const record = readExitRecord(path);
  if (record.kind === "ended") return endOf(record);
  if (record.kind === "not-run") {
    throw notStarted("the program was stopped before it ran; start it again", { transient: true });
  }
  // Everything else is survived or recorded by the parent: only a KILL takes it away without a word.
  return { exitCode: null, signal: "SIGKILL" };
}

/** A hint only: the poll is the truth. A system may have no watchers left, and network disks tell nothing. */
function watchFile(path: string, action: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, action);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
