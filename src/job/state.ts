import { z } from "zod";
import { AppError } from "../error.ts";

/**
 * The states of a job and the moves between them. The diagram in `docs/architecture.md` is drawn from this table, and the
 * embedded backend checks every move against it.
 */
export const STATES = {
  scheduled: ["queued", "cancelled", "expired", "failed"],
  queued: ["running", "cancelled", "expired", "failed"],
  running: ["waiting", "scheduled", "queued", "completed", "failed", "cancelled"],
  waiting: ["scheduled", "queued", "cancelled", "failed", "expired"],
  completed: [],
  failed: [],
  cancelled: [],
  expired: [],
} as const satisfies Record<string, readonly string[]>;

/** Where a job stands. */
export type JobState = keyof typeof STATES;

/** A state that a job never leaves (a replay is a new run). */
export type FinalState = { [S in JobState]: (typeof STATES)[S] extends readonly [] ? S : never }[JobState];

/** What a finished job may say beyond its state, and the state that it goes with. */
export const OUTCOMES = {
  skipped: "completed",
  partial: "failed",
  unknown: "failed",
  blocked: "failed",
  step_limit: "failed",
  stopped: "cancelled",
} as const satisfies Record<string, FinalState>;

/** A finer word for how a job ended. */
export type Outcome = keyof typeof OUTCOMES;

const names = <K extends string>(table: Record<K, unknown>): readonly K[] => Object.keys(table) as K[];

/** Every state, in the order of the table. */
export const JOB_STATES: readonly JobState[] = names(STATES);

/** The shape of a state at every border. */
export const JobState = z.enum(JOB_STATES as [JobState, ...JobState[]]).describe("Where the job stands.");

/** The shape of an outcome at every border. */
export const Outcome = z.enum(names(OUTCOMES) as [Outcome, ...Outcome[]]);

/** True for a state that a run never leaves. */
export function isFinal(state: JobState): state is FinalState {
  return STATES[state].length === 0;
}

/**
 * Refuses a move that the table does not have.
 *
 * @throws AppError `INTERNAL` naming both states: an illegal move is a defect of ours, never of the caller.
 */
export function assertMove(from: JobState, to: JobState): void {
  if (!(STATES[from] as readonly JobState[]).includes(to)) {
    throw new AppError(
      "INTERNAL",
      `a job cannot move from ${from} to ${to}; this is a defect in windlass, please report it`,
    );
  }
}
