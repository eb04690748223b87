import { closeSync, constants, type FSWatcher, openSync, watch, writeSync } from "node:fs";

/** The two things that one process tells another through a file. */
export type WakeKind = "work" | "moved";

/**
 * Wakes other processes: one byte is written to a small file after a commit, and whoever watches the file looks into the
 * database. A hint only: what is lost is found by the next poll. Watching the database's own files would fire before a
 * commit can be seen.
 */
export class Wake implements Disposable {
  readonly #path: string;
  #descriptor: number | undefined;

  constructor(databasePath: string, kind: WakeKind) {
    this.#path = wakePath(databasePath, kind);
  }

  /** Never throws: the poll is the truth. */
  ring(): void {
    try {
      // Not in append mode, so that the file never grows beyond this byte.
      this.#descriptor ??= openSync(this.#path, constants.O_WRONLY | constants.O_CREAT, 0o600);
      writeSync(this.#descriptor, "\n", 0);
    } catch {
      this.#descriptor = undefined;
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Calls `onWake` when another process rings; `undefined` when this system cannot watch. */
export function watchWake(databasePath: string, kind: WakeKind, onWake: () => void): FSWatcher | undefined {
  try {
    const path = wakePath(databasePath, kind);
    closeSync(openSync(path, "a", 0o600));
    const watcher = watch(path, { persistent: false }, onWake);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

function wakePath(databasePath: string, kind: WakeKind): string {
  return `${databasePath}.${kind}`;
}
