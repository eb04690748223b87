import { isAppError } from "../error.ts";

const STEP_MS = 5;

/** Tries again, at most this long, while another process creates, migrates or recovers the file; blocks the thread. */
export function whileBusy<T>(limitMs: number, action: () => T): T {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += STEP_MS) {
    try {
      return action();
    } catch (error) {
      if (!(isAppError(error) && error.code === "DATABASE_BUSY") || waitedMs >= limitMs) throw error;
      Atomics.wait(cell, 0, 0, STEP_MS);
    }
  }
}
