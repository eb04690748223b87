import type { JobNumber } from "./job-number.ts";

/** The place of a run in ready, delayed, blocked or a lease: the counts that travel with it. */
export interface Entry {
  readonly job: JobNumber;
  readonly run: number;
  /** Attempts started so far. */
  readonly attempt: number;
  readonly failures: number;
  readonly crashes: number;
  /** 1 when the attempt before ended with its worker and left something to look for; {@link GOES_ON}. */
  readonly recover: number;
}

/** Which run of which job. */
export type RunOf = Pick<Entry, "job" | "run">;

/** `recover` of a run that goes on: it takes no unit of its rate limit again, and a cancel is looked for. */
export const GOES_ON = 2;

/** The first place of a run. */
export function freshEntry(job: JobNumber, run: number): Entry {
  return { job, run, attempt: 0, failures: 0, crashes: 0, recover: 0 };
}

/** The columns of an entry, in the order of every table that has them. */
export const ENTRY_COLUMNS = "job, run, attempt, failures, crashes, recover";

/** The values of {@link ENTRY_COLUMNS}. */
export function entryValues({
  job,
  run,
  attempt,
  failures,
  crashes,
  recover,
}: Entry): [number, number, number, number, number, number] {
  return [job, run, attempt, failures, crashes, recover];
}

/** What a lease row holds for each of its jobs. */
export type LeasedJob = readonly [job: JobNumber, run: number, attempt: number, failures: number, crashes: number];
