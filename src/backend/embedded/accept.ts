import type { Connection } from "../../database/connection.ts";
import type { Transaction } from "../../database/writer.ts";
import { AppError } from "../../error.ts";
import type { JobLimits } from "../../job/limits.ts";
import { rankOf } from "../../job/rank.ts";
import type { JobSpec, ParentRef } from "../../job/spec.ts";
import type { JobState } from "../../job/state.ts";
import type { Acceptance, Accepted } from "../backend.ts";
import { admit, storeExpiry } from "./admission.ts";
import { ENTRY_COLUMNS, type Entry, entryValues, freshEntry } from "./entry.ts";
import { type ValueReference, writeEnv } from "./env.ts";
import { recordEnd } from "./finish.ts";
import type { Interned } from "./intern.ts";
import { acceptedAtMs, type JobNumber, type JobNumbers, nextNumber } from "./job-number.ts";
import { readJob, standingOf } from "./job-row.ts";
import type { Notice } from "./notice.ts";
import { takeUse } from "./policy-log.ts";
import { takeUnit } from "./rate-bucket.ts";
import { stateOfStanding } from "./reading/state-of.ts";

/** What accepting needs beside the transaction. */
export interface AcceptParts {
  readonly numbers: JobNumbers;
  readonly interned: Interned;
  readonly limits: JobLimits;
}

/**
 * Accepts one job: answers an earlier one for a key that is held, else stores it and lets it in.
 *
 * @throws AppError `IDEMPOTENCY_CONFLICT`, `QUEUE_FULL`, `CONCURRENCY_DEADLOCK`, `LIMIT_REACHED`, `POLICY_DENIED` when a limit of the policy is used up.
 */
export function accept(
  tx: Transaction<Notice>,
  parts: AcceptParts,
  acceptance: Acceptance,
  inputAt?: ValueReference,
): Accepted {
  const { spec, slot } = acceptance;
  const earlier = findEarlier(tx, parts, spec) ?? (slot === undefined ? undefined : slotJob(tx.db, slot));
  if (earlier !== undefined) return describe(tx.db, parts, earlier, true);
  if (acceptance.use !== undefined) takeUse(tx, acceptance.use);
  checkBacklog(tx.db, spec);
  const number = nextNumber(newestNumber(tx.db), tx.nowMs);
  const family = spec.parent === undefined ? undefined : familyOf(tx, parts, spec.parent);
  const due = Math.max(spec.dueMs ?? tx.nowMs + (spec.delayMs ?? 0), tx.nowMs);
  const rank = rankOf(due, spec.priority, parts.limits.ageMs);
  const queue = parts.interned.queueId(tx.db, spec.type, spec.requires);
  const deadline = spec.deadlineInMs === undefined ? undefined : tx.nowMs + spec.deadlineInMs;
  const expires = spec.expiresInMs === undefined ? undefined : due + spec.expiresInMs;
  const extras = {
    ...(deadline === undefined ? {} : { deadline }),
    ...(expires === undefined ? {} : { expires }),
    ...family,
    ...(slot === undefined ? {} : { slot }),
    ...(inputAt === undefined ? {} : { inputAt }),
    ...(acceptance.operation === undefined ? {} : { operation: acceptance.operation }),
    ...(acceptance.verdict === undefined ? {} : { verdict: acceptance.verdict }),
  };
  tx.db.run(
    "INSERT INTO job (id, queue, rules, actor, rank, due, env) VALUES (?, ?, ?, ?, ?, ?, ?)",
    number,
    queue,
    parts.interned.rulesId(tx.db, spec.rules),
    parts.interned.actorId(tx.db, acceptance.actor),
    rank,
    due,
    writeEnv(spec, extras),
  );
  storeNames(tx, spec, number, family?.parent);
  if (slot !== undefined) {
    tx.db.run(
      "INSERT INTO schedule_slot (schedule, instant, job, reason, missed) VALUES (?, ?, ?, NULL, ?)",
      slot.schedule,
      slot.instantMs,
      number,
      slot.missed,
    );
  }
  if (inputAt !== undefined) tx.db.run("INSERT INTO value (job, name) VALUES (?, ?)", number, inputAt.name);
  if (expires !== undefined) storeExpiry(tx, expires, number, 1, "expires");
  if (deadline !== undefined) storeExpiry(tx, deadline, number, 1, "deadline");
  const unwanted = family !== undefined && isCancelled(tx.db, family.parent, spec.parent?.runNumber ?? 1);
  const state = unwanted
    ? endUnwanted(tx, freshEntry(number, 1))
    : place(tx, { queue, rank, due, keys: spec.keys }, number);
  return answer(parts, number, state, spec.traceId);
}

/** A cancel of the parent is meant for the children too that it makes before it has stopped. */
function isCancelled(db: Connection, parent: JobNumber, run: number): boolean {
  return (
    db.get("SELECT 1 FROM cancel_request WHERE job = ? AND run = ?", parent, run) !== undefined ||
    db.get("SELECT 1 FROM done WHERE job = ? AND run = ? AND state = 'cancelled'", parent, run) !== undefined
  );
}

function endUnwanted(tx: Transaction<Notice>, entry: Entry): JobState {
  const error = { code: "CANCELLED", message: "the job that made it was cancelled" };
  recordEnd(tx, { entry, state: "cancelled", error });
  return "cancelled";
}

/** Puts a new run where it belongs: delayed, ready, blocked, or cancelled at once by its key's strategy. */
function place(
  tx: Transaction<Notice>,
  job: { queue: number; rank: number; due: number; keys: JobSpec["keys"] },
  number: JobNumber,
): JobState {
  const entry = freshEntry(number, 1);
  if (job.due > tx.nowMs) {
    tx.db.run(
      `INSERT INTO delayed (due, ${ENTRY_COLUMNS}, reason) VALUES (?, ?, ?, ?, ?, ?, ?, 'due')`,
      job.due,
      ...entryValues(entry),
    );
    tx.notify({ kind: "due", atMs: job.due });
    return "scheduled";
  }
  if (admit(tx, job, entry, true) !== "refused") return "queued";
  const key = job.keys.find((need) => need.strategy === "cancel-newest")?.key ?? "";
  recordEnd(tx, {
    entry,
    state: "cancelled",
    error: { code: "CANCELLED", message: `another job holds the key ${key} and its rule is to cancel the newest` },
  });
  return "cancelled";
}

function storeNames(tx: Transaction<Notice>, spec: JobSpec, job: JobNumber, parent: JobNumber | undefined): void {
  for (const key in spec.metadata)
    tx.db.run("INSERT INTO metadata (key, value, job) VALUES (?, ?, ?)", key, spec.metadata[key] ?? "", job);
  if (spec.parent !== undefined && parent !== undefined) {
    tx.db.run(
      "INSERT INTO child (parent, run, slot, job) VALUES (?, ?, ?, ?)",
      parent,
      spec.parent.runNumber,
      spec.parent.slot,
      job,
    );
  }
  if (spec.idempotency === undefined) return;
  const { key, digest, windowMs } = spec.idempotency;
  tx.db.run(
    "INSERT INTO idempotency (type, key, digest, job, expires) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET digest = excluded.digest, job = excluded.job, expires = excluded.expires",
    spec.type,
    key,
    digest,
    job,
    tx.nowMs + windowMs,
  );
}

/** The job that the request's key, or its parent's slot, already names. */
function findEarlier(tx: Transaction<Notice>, parts: AcceptParts, spec: JobSpec): JobNumber | undefined {
  if (spec.parent !== undefined) {
    const parent = parts.numbers.numberOf(spec.parent.jobId);
    const child = tx.db.get<{ job: number }>(
      "SELECT job FROM child WHERE parent = ? AND run = ? AND slot = ?",
      parent ?? -1,
      spec.parent.runNumber,
      spec.parent.slot,
    );
    if (child !== undefined) return child.job;
  }
  if (spec.idempotency === undefined || spec.idempotency.fresh) return undefined;
  const { key, digest } = spec.idempotency;
  const held = tx.db.get<{ digest: string; job: number; expires: number }>(
    "SELECT digest, job, expires FROM idempotency WHERE type = ? AND key = ?",
    spec.type,
    key,
  );
  if (held === undefined || (held.expires <= tx.nowMs && isFinished(tx.db, held.job))) return undefined;
  if (held.digest === digest) {
    countHit(tx.db);
    return held.job;
  }
  throw new AppError(
    "IDEMPOTENCY_CONFLICT",
    `the key ${JSON.stringify(key)} of ${spec.type} names job ${parts.numbers.idOf(held.job)}, which has another input; use another key, or --new to give the key to a new job`,
  );
}

/** For `queue-metrics`: how often a key gave an earlier job back. */
function countHit(db: Connection): void {
  db.run(
    "INSERT INTO setting (name, value) VALUES ('idempotency_hits', 1) ON CONFLICT DO UPDATE SET value = value + 1",
  );
}

function isFinished(db: Connection, number: JobNumber): boolean {
  const job = readJob(db, number);
  return job === undefined || standingOf(db, job)?.kind === "done";
}

function slotJob(db: Connection, slot: NonNullable<Acceptance["slot"]>): JobNumber | undefined {
  return (
    db.get<{ job: number | null }>(
      "SELECT job FROM schedule_slot WHERE schedule = ? AND instant = ?",
      slot.schedule,
      slot.instantMs,
    )?.job ?? undefined
  );
}

/** Retention never removes the newest job, because the next number is made from it. */
function newestNumber(db: Connection): JobNumber {
  return db.get<{ id: number | null }>("SELECT max(id) AS id FROM job")?.id ?? 0;
}

/** Counts no further than the limit. */
function checkBacklog(db: Connection, spec: JobSpec): void {
  if (spec.queuedMax === undefined) return;
  const waiting = db.get<{ n: number }>(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM ready WHERE queue IN (SELECT id FROM queue WHERE type = ?1) LIMIT ?2))
          + (SELECT count(*) FROM (SELECT 1 FROM delayed d JOIN job j ON j.id = d.job WHERE j.queue IN (SELECT id FROM queue WHERE type = ?1) LIMIT ?2))
          + (SELECT count(*) FROM (SELECT 1 FROM blocked b JOIN job j ON j.id = b.job WHERE j.queue IN (SELECT id FROM queue WHERE type = ?1) LIMIT ?2)) AS n`,
    spec.type,
    spec.queuedMax,
  )?.n;
  if ((waiting ?? 0) >= spec.queuedMax) {
    throw new AppError(
      "QUEUE_FULL",
      `${spec.type} has ${waiting} waiting jobs and its limit is ${spec.queuedMax}; try again when some are done, or raise queuedMax of the type`,
    );
  }
}

/** Checks the loop guards of a child and finds its first ancestor. */
function familyOf(
  tx: Transaction<Notice>,
  parts: AcceptParts,
  ref: ParentRef,
): { parent: JobNumber; root: JobNumber } | undefined {
  const parent = parts.numbers.numberOf(ref.jobId);
  if (parent === undefined) return undefined;
  let depth = 0;
  let root = parent;
  for (let next: JobNumber | undefined = parent; next !== undefined; ) {
    const job = readJob(tx.db, next);
    if (job === undefined) break;
    root = job.env.root ?? job.id;
    if (standingOf(tx.db, job)?.kind === "done") break;
    if (++depth > parts.limits.depthMax) {
      throw new AppError(
        "LIMIT_REACHED",
        `job ${ref.jobId} has ${depth} unfinished ancestors; job.depth_max is ${parts.limits.depthMax}: does a job of this kind start itself again?`,
      );
    }
    next = job.env.parent;
  }
  const key = `spawn:${root}`;
  const rate = takeUnit(tx, key, { units: parts.limits.spawnRate, perMs: 60_000 });
  if (rate.kind === "wait") {
    throw new AppError(
      "LIMIT_REACHED",
      `job ${parts.numbers.idOf(root)} and its descendants made more than ${parts.limits.spawnRate} jobs in a minute (job.spawn_rate)`,
    );
  }
  return { parent, root };
}

function describe(db: Connection, parts: AcceptParts, number: JobNumber, existing: boolean): Accepted {
  const job = readJob(db, number);
  const state = job === undefined ? "completed" : stateOfStanding(standingOf(db, job));
  return { ...answer(parts, number, state, job?.env.trace), existing };
}

function answer(parts: AcceptParts, number: JobNumber, state: JobState, trace: string | undefined): Accepted {
  const jobId = parts.numbers.idOf(number);
  return { jobId, state, traceId: trace ?? traceOf(jobId), queuedAtMs: acceptedAtMs(number), existing: false };
}

/** Where nobody gave a trace id, the job's own id is one: 32 hexadecimal digits, as W3C Trace Context has them. */
export function traceOf(jobId: string): string {
  return jobId.slice(0, 8) + jobId.slice(9, 13) + jobId.slice(14, 18) + jobId.slice(19, 23) + jobId.slice(24);
}
