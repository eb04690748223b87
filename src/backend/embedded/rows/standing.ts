import { type Connection, readJson } from "../../../database/connection.ts";
import type { JobState } from "../../../job/state.ts";
import type { JobNumber } from "./job-number.ts";
import type { JobRow } from "./job-row.ts";

/** Where the newest run of a job stands. */
export type Standing =
  | {
      readonly kind: "ready";
      readonly run: number;
      readonly attempt: number;
      readonly failures: number;
      readonly crashes: number;
    }
  | {
      readonly kind: "blocked";
      readonly key: string;
      readonly run: number;
      readonly attempt: number;
      readonly failures: number;
      readonly crashes: number;
    }
  | {
      readonly kind: "delayed";
      readonly due: number;
      readonly reason: DelayReason;
      readonly run: number;
      readonly attempt: number;
      readonly failures: number;
      readonly crashes: number;
    }
  | {
      readonly kind: "leased";
      readonly epoch: number;
      readonly worker: number;
      readonly at: number;
      readonly run: number;
      readonly attempt: number;
      readonly failures: number;
      readonly crashes: number;
    }
  | {
      /** Suspended, or waiting for leave to start; with `woken` it goes on as soon as a worker takes it. */
      readonly kind: "waiting";
      readonly since: number;
      readonly worker: number | null;
      readonly woken: number | null;
      readonly run: number;
      readonly attempt: number;
      readonly failures: number;
      readonly crashes: number;
    }
  | ({ readonly kind: "done" } & DoneRow);

/**
 * Why a job stands in `delayed`: its time has not come, back-off, its rate limit, another machine that may still run it, or
 * what people signed for it could not be verified. For the last three it counts as queued: it is due.
 */
export type DelayReason = "due" | "retry" | "rate" | "adopt" | "verify";

/** True for a job that is due and was let in already. */
export function isHeldBack(reason: DelayReason): boolean {
  return reason !== "due" && reason !== "retry";
}

/** A row of `done`. */
export interface DoneRow {
  readonly run: number;
  readonly state: "completed" | "failed" | "cancelled" | "expired";
  readonly outcome: string | null;
  readonly attempt: number;
  readonly failures: number;
  readonly crashes: number;
  readonly worker: number | null;
  readonly claimed: number | null;
  readonly finished: number;
  readonly result: string | null;
  readonly error: string | null;
}

type Counts = { run: number; attempt: number; failures: number; crashes: number };
const COUNTS = "run, attempt, failures, crashes";
const SELECT_BLOCKED = `SELECT ${COUNTS} FROM blocked WHERE key = ? AND rank = ? AND job = ?`;
const SELECT_WAITING = `SELECT since, worker, woken, ${COUNTS} FROM waiting WHERE job = ?`;
const SELECT_DELAYED = `SELECT due, reason, ${COUNTS} FROM delayed WHERE job = ?`;
const SELECT_READY = `SELECT ${COUNTS} FROM ready WHERE queue = ? AND rank = ? AND job = ?`;

/** Finds the newest run of a job: what lives comes before what is done. */
export function standingOf(db: Connection, job: JobRow): Standing | undefined {
  const done = newestDone(db, job.id);
  const live = liveStanding(db, job, done?.run ?? 0);
  if (live !== undefined) return live;
  return done === undefined ? undefined : { kind: "done", ...done };
}

function liveStanding(db: Connection, job: JobRow, doneRun: number): Standing | undefined {
  const ready = db.get<Counts>(SELECT_READY, job.queue, job.rank, job.id);
  if (ready !== undefined) return { kind: "ready", ...ready };
  const delayed = db.get<Counts & { due: number; reason: DelayReason }>(SELECT_DELAYED, job.id);
  if (delayed !== undefined) return { kind: "delayed", ...delayed };
  const waiting =
    job.env.since === undefined && job.env.approval === undefined
      ? undefined
      : db.get<Counts & { since: number; worker: number | null; woken: number | null }>(SELECT_WAITING, job.id);
  if (waiting !== undefined) return { kind: "waiting", ...waiting };
  for (const { key } of job.keys) {
    const blocked = db.get<Counts>(SELECT_BLOCKED, key, job.rank, job.id);
    if (blocked !== undefined) return { kind: "blocked", key, ...blocked };
  }
  const leased = db.get<{ epoch: number; worker: number; at: number; entry: string }>(
    // An earlier run may still stand in a lease whose other jobs go on.
    "SELECT l.epoch, l.worker, l.at, e.value AS entry FROM lease l, json_each(l.jobs) e WHERE json_extract(e.value, '$[0]') = ? ORDER BY json_extract(e.value, '$[1]') DESC LIMIT 1",
    job.id,
  );
  if (leased === undefined) return undefined;
  const [, run, attempt, failures, crashes] = readJson<[number, number, number, number, number]>(
    leased.entry,
    `lease ${leased.epoch}`,
  );
  if (run <= doneRun) return undefined;
  return { kind: "leased", epoch: leased.epoch, worker: leased.worker, at: leased.at, run, attempt, failures, crashes };
}

function newestDone(db: Connection, job: JobNumber): DoneRow | undefined {
  return db.get<DoneRow>(
    "SELECT run, state, outcome, attempt, failures, crashes, worker, claimed, finished, result, error FROM done WHERE job = ? ORDER BY run DESC LIMIT 1",
    job,
  );
}

/** The state that a job's place means. A job that stands nowhere was removed while somebody looked. */
export function stateOfStanding(standing: Standing | undefined): JobState {
  if (standing === undefined) return "completed";
  switch (standing.kind) {
    case "ready":
    case "blocked":
      return "queued";
    case "delayed":
      return isHeldBack(standing.reason) ? "queued" : "scheduled";
    case "waiting":
      return standing.woken === null ? "waiting" : "queued";
    case "leased":
      return "running";
    case "done":
      return standing.state;
  }
}
