import type { FSWatcher } from "node:fs";
import type { Clock } from "../../clock.ts";
import { formatDuration } from "../../duration.ts";
import { AppError } from "../../error.ts";
import { watchWake } from "./wake.ts";

/** The wake file is a hint; this poll is the truth. */
const POLL_MS = 250;

/** What somebody waits for. */
export interface Wait<T> {
  /** Returns what was waited for, `undefined` to wait on, or throws to give up. */
  readonly look: () => Promise<T | undefined>;
  /** Named in the error. */
  readonly what: string;
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
}

/** Those in this process who wait for something to happen in the database, and the files through which other processes tell. */
export class Watchers implements Disposable {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onWork: () => void;
  readonly #looks = new Set<() => void>();
  #movedFile: FSWatcher | undefined;
  #workFile: FSWatcher | undefined;

  constructor(path: string, clock: Clock, onWork: () => void) {
    this.#path = path;
    this.#clock = clock;
    this.#onWork = onWork;
  }

  /** From now on other processes can wake this one's workers. */
  watchWork(): void {
    this.#workFile ??= watchWake(this.#path, "work", this.#onWork);
  }

  /** Something moved in this process. */
  moved(): void {
    for (const look of [...this.#looks]) look();
  }

  /** @throws AppError `WAIT_TIMEOUT`; the signal's reason; what `look` throws. */
  wait<T>({ look, what, withinMs, signal }: Wait<T>): Promise<T> {
    this.#movedFile ??= watchWake(this.#path, "moved", () => this.moved());
    return new Promise<T>((resolve, reject) => {
      let looking = false;
      let again = false;
      const end = (settle: () => void): void => {
        this.#looks.delete(tryLook);
        poll.cancel();
        limit?.cancel();
        signal?.removeEventListener("abort", onAbort);
        this.#unwatch();
        settle();
      };
      const tryLook = (): void => {
        if (looking) {
          again = true;
          return;
        }
        looking = true;
        look().then(
          (found) => {
            looking = false;
            if (found !== undefined) end(() => resolve(found));
            else if (again) {
              again = false;
              tryLook();
            }
          },
          (error: unknown) => end(() => reject(error)),
        );
      };
      const arm = (): ReturnType<Clock["after"]> =>
        this.#clock.after(POLL_MS, () => {
          poll = arm();
          tryLook();
        });
      const onAbort = (): void => end(() => reject(signal?.reason));
      let poll = arm();
      const limit =
        withinMs === undefined
          ? undefined
          : this.#clock.after(withinMs, () =>
              end(() =>
                reject(new AppError("WAIT_TIMEOUT", `waited ${formatDuration(withinMs)} for ${what}; it goes on`)),
              ),
            );
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#looks.add(tryLook);
      if (signal?.aborted) onAbort();
      else tryLook();
    });
  }

  #unwatch(): void {
    if (this.#looks.size > 0) return;
    this.#movedFile?.close();
    this.#movedFile = undefined;
  }

  [Symbol.dispose](): void {
    this.#movedFile?.close();
    this.#workFile?.close();
    this.#movedFile = undefined;
    this.#workFile = undefined;
  }
}
