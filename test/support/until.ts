import { type FSWatcher, watch } from "node:fs";

/** The watcher is a hint; this look is the truth. */
const LOOK_MS = 25;

/**
 * Resolves with the first value that is not `undefined`: looks whenever something changes in a folder.
 *
 * @throws Error naming `what` after `withinMs`; the signal's reason.
 */
export function until<T>(
  look: () => T | undefined,
  {
    what,
    folder,
    withinMs = 15_000,
    signal,
  }: { readonly what: string; readonly folder?: string; readonly withinMs?: number; readonly signal?: AbortSignal },
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let watcher: FSWatcher | undefined;
    const end = (settle: () => void): void => {
      clearInterval(poll);
      clearTimeout(limit);
      watcher?.close();
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const tryLook = (): void => {
      try {
        const found = look();
        if (found !== undefined) end(() => resolve(found));
      } catch (error) {
        end(() => reject(error));
      }
    };
    const onAbort = (): void => end(() => reject(signal?.reason));
    const poll = setInterval(tryLook, LOOK_MS);
    const limit = setTimeout(() => end(() => reject(new Error(`not within ${withinMs} ms: ${what}`))), withinMs);
    if (folder !== undefined) {
      watcher = watch(folder, tryLook);
      watcher.on("error", () => watcher?.close());
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    else tryLook();
  });
}
