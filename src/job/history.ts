/** What may happen to a job, as `jobs logs` prints it. The first group is read from the columns of the moves, the second from rows. */
export const HISTORY_EVENTS = {
  "job.queued": "accepted, due at once",
  "job.scheduled": "accepted, due later",
  "job.claimed": "a worker took it",
  "job.completed": "its result is recorded",
  "job.failed": "it ended without a result",
  "job.cancelled": "it was cancelled",
  "job.expired": "it did not start in time",

  "attempt.failed": "an attempt failed; another one follows",
  "attempt.released": "a worker gave it back without having failed",
  "attempt.adopted": "an attempt took over what an earlier one had started",
  "lease.reclaimed": "its worker was gone; it was taken from it",
  "cancel.requested": "somebody asked to cancel it while it ran",
  "run.started": "it was started over",
  "call.issued": "a durable call that has no outcome yet: it is made, or the job waits for it",
  "call.recorded": "what a durable call came to is recorded",
  "approval.asked": "people were asked for their leave; it waits for them",
  "approval.decided": "somebody signed a decision",
  "approval.refused": "a decision that does not count: it was not signed as it stands, or not by whom it needs",
  "approval.unverified": "a worker could not verify what was signed; it is looked at again",
  "approval.used": "it goes on by what was approved",
  "handler.stuck": "its handler blocks its worker beyond its timeout",
} as const satisfies Record<string, string>;

/** The name of an event in a job's history. */
export type HistoryEvent = keyof typeof HISTORY_EVENTS;

/** One line of a job's history. */
export interface HistoryRow {
  readonly runNumber: number;
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly event: HistoryEvent;
  /** Facts, snake_case, JSON-safe. */
  readonly data: Readonly<Record<string, unknown>>;
}
