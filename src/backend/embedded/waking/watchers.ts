import type { FSWatcher } from "node:fs";
import type { Clock } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import { formatDuration } from "../../../duration.ts";
import { AppError } from "../../../error.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { watchWake } from "./wake.ts";

/** The wake file is a hint; this poll is the truth. */
const POLL_MS = 250;

/** What somebody waits for. */
export interface Wait<T> {
  /** Whose moves are looked at. */
  readonly job: JobNumber;
  /** Returns what was waited for, `undefined` to wait on, or throws to give up. */
  readonly look: () => Promise<T | undefined>;
  /** Named in the error. */
  readonly what: string;
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
}

/** Those in this process who wait for something to happen in the database, and the files through which other processes tell. */
export class Watchers implements Disposable {
  readonly #db: Connection;
  readonly #clock: Clock;
  readonly #onWork: () => void;
  /** By job: a commit costs those who wait for other jobs nothing. */
  readonly #looks = new Map<JobNumber, Set<() => void>>();
  #foreignCommits: unknown;
  #movedFile: FSWatcher | undefined;
  #workFile: FSWatcher | undefined;

  constructor(db: Connection, clock: Clock, onWork: () => void) {
    this.#db = db;
    this.#clock = clock;
    this.#onWork = onWork;
  }

  /** From now on other processes can wake this one's workers. */
  watchWork(): void {
    this.#workFile ??= watchWake(this.#db.path, "work", this.#onWork);
  }

  /** These jobs moved in this process. */
  moved(jobs: readonly JobNumber[]): void {
    if (this.#looks.size === 0) return;
    for (const job of jobs) {
      const looks = this.#looks.get(job);
      if (looks !== undefined) for (const look of [...looks]) look();
    }
  }

  /** The file is rung by this process too; whether another one has committed costs less to ask than one look. */
  #rung(): void {
    const commits = this.#countForeignCommits();
    if (commits !== undefined && commits === this.#foreignCommits) return;
    this.#foreignCommits = commits;
    for (const looks of [...this.#looks.values()]) for (const look of [...looks]) look();
  }

  /** A number that changes with the commits of others; `undefined` when the file cannot be asked, which a look then says. */
  #countForeignCommits(): unknown {
    try {
      return this.#db.get<{ data_version: number }>("PRAGMA data_version")?.data_version;
    } catch {
      return undefined;
    }
  }

  /** @throws AppError `WAIT_TIMEOUT`; the signal's reason; what `look` throws. */
  wait<T>({ job, look, what, withinMs, signal }: Wait<T>): Promise<T> {
    this.#movedFile ??= watchWake(this.#db.path, "moved", () => this.#rung());
    return new Promise<T>((resolve, reject) => {
      let looking = false;
      let again = false;
      const end = (settle: () => void): void => {
        this.#forget(job, tryLook);
        poll.cancel();
        limit?.cancel();
        signal?.removeEventListener("abort", onAbort);
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
      this.#looks.set(job, (this.#looks.get(job) ?? new Set()).add(tryLook));
      if (signal?.aborted) onAbort();
      else tryLook();
    });
  }

  #forget(job: JobNumber, look: () => void): void {
    const looks = this.#looks.get(job);
    looks?.delete(look);
    if (looks?.size === 0) this.#looks.delete(job);
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
