import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { rankOf } from "../../../job/rank.ts";
import type { JobSpec } from "../../../job/spec.ts";
import type { JobState } from "../../../job/state.ts";
import type { Acceptance, Accepted } from "../../acceptance.ts";
import { dueLater } from "../../job-question.ts";
import { holdForLeave } from "../approvals/hold.ts";
import { recordEnd } from "../ending/finish.ts";
import { newestEvent } from "../events/emit.ts";
import { takeUse } from "../policy-log.ts";
import { storeExpiry } from "../queue/admission.ts";
import { place } from "../queue/place.ts";
import { type Entry, freshEntry } from "../rows/entry.ts";
import { type ValueReference, writeEnv } from "../rows/env.ts";
import { acceptedAtMs, type JobNumber, nextNumber } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf, stateOfStanding } from "../rows/standing.ts";
import { traceOf } from "../rows/trace-of.ts";
import type { AcceptParts } from "./accept-parts.ts";
import { checkBacklog } from "./backlog.ts";
import { checkDeadlock } from "./check-deadlock.ts";
import { familyOf, isCancelled } from "./family.ts";
import { findEarlier } from "./find-earlier.ts";
import { insertJob, type NewRows } from "./new-rows.ts";

/** How a job is accepted. */
export interface Accepting {
  /** Where its input stands when it is too large for the database. */
  readonly inputAt?: ValueReference | undefined;
  /** Stored together with others of the same operation; the caller writes them. */
  readonly rows?: NewRows | undefined;
  /** The caller knows that its parent is not cancelled, and leaves it to the key of `child` that its slot is free. */
  readonly isSibling?: boolean;
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
  { inputAt, rows, isSibling = false }: Accepting = {},
): Accepted {
  const { spec, slot } = acceptance;
  const isPlain = asksNothing(acceptance) && (isSibling || spec.parent === undefined);
  if (!isPlain) rows?.write();
  const earlier = isSibling ? undefined : findEarlier(tx, parts, acceptance);
  if (earlier !== undefined) return describe(tx.db, parts, earlier, true);
  if (acceptance.use !== undefined) takeUse(tx, acceptance.use);
  checkBacklog(tx.db, spec);
  const number = takeNumber(tx);
  const family = familyOf(tx, parts, spec);
  if (family !== undefined) checkDeadlock(tx, parts.numbers, spec, family.parent);
  const due = Math.max(spec.dueMs ?? tx.nowMs + (spec.delayMs ?? 0), tx.nowMs);
  const rank = rankOf(due, spec.priority, parts.limits.ageMs);
  const actor = parts.interned.actorId(tx.db, acceptance.actor);
  const queue = parts.interned.queueId(tx.db, spec.type, spec.requires);
  const deadline = spec.deadlineInMs === undefined ? undefined : tx.nowMs + spec.deadlineInMs;
  const expires = spec.expiresInMs === undefined ? undefined : due + spec.expiresInMs;
  const extras = {
    deadline,
    expires,
    parent: family?.parent,
    root: family?.root,
    slot,
    inputAt,
    approval: acceptance.question === undefined ? undefined : (true as const),
    operation: acceptance.operation,
    verdict: acceptance.verdict,
    since: spec.rules.durable ? newestEvent(tx) : undefined,
  };
  const row = { queue, rules: parts.interned.rulesId(tx.db, spec.rules), actor, rank, due };
  const env = writeEnv(spec, extras);
  const together = isPlain && due <= tx.nowMs && rows !== undefined;
  if (together) rows.add(number, row, env);
  else insertJob(tx, number, row, env);
  storeNames(tx, spec, number, isSibling ? undefined : family?.parent);
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
  if (together) return answer(parts, number, "queued", spec.traceId);
  const unwanted =
    family !== undefined && !spec.parent?.detached && isCancelled(tx.db, family.parent, spec.parent?.runNumber ?? 1);
  const entry = freshEntry(number, 1);
  if (unwanted) return answer(parts, number, endUnwanted(tx, entry), spec.traceId);
  if (acceptance.question !== undefined) {
    const question = dueLater(acceptance.question, due, tx.nowMs);
    const approvalId = holdForLeave(tx, parts, { entry, actor, question, dueAtMs: due });
    return { ...answer(parts, number, "waiting", spec.traceId), approvalId };
  }
  return answer(parts, number, placeNew(tx, { queue, rank, due, keys: spec.keys }, entry), spec.traceId);
}

/** True when nothing that is stored already, its parent aside, decides about it. */
export function asksNothing({ spec, slot, question }: Acceptance): boolean {
  const { idempotency, queuedMax, keys } = spec;
  return (idempotency ?? queuedMax ?? slot ?? question) === undefined && keys.length === 0;
}

function endUnwanted(tx: Transaction<Notice>, entry: Entry): JobState {
  const error = { code: "CANCELLED", message: "the job that made it was cancelled" };
  recordEnd(tx, { entry, state: "cancelled", error });
  return "cancelled";
}

/** A new run may be cancelled at once, by its key's strategy. */
function placeNew(tx: Transaction<Notice>, job: Parameters<typeof place>[1], entry: Entry): JobState {
  const placement = place(tx, job, entry);
  if (placement.kind === "placed") return placement.state;
  recordEnd(tx, { entry, state: "cancelled", error: { code: "CANCELLED", message: placement.message } });
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

/** The newest number that a transaction gave out. */
const newestIn = new WeakMap<Transaction<Notice>, JobNumber>();

/**
 * Looked up once in a commit: that was a tenth of what a job in a bulk costs. What is rolled back leaves a gap. Retention
 * never removes the newest job, because the next number is made from it.
 */
function takeNumber(tx: Transaction<Notice>): JobNumber {
  const newest = newestIn.get(tx) ?? tx.db.get<{ id: number | null }>("SELECT max(id) AS id FROM job")?.id ?? 0;
  const number = nextNumber(newest, tx.nowMs);
  newestIn.set(tx, number);
  return number;
}

function describe(db: Connection, parts: AcceptParts, number: JobNumber, existing: boolean): Accepted {
  const job = readJob(db, number);
  const state = job === undefined ? "completed" : stateOfStanding(standingOf(db, job));
  const held =
    state === "waiting"
      ? db.get<{ approval: string }>("SELECT approval FROM wait WHERE job = ? AND position = 0", number)
      : undefined;
  const approval = held === undefined ? {} : { approvalId: held.approval };
  return { ...answer(parts, number, state, job?.env.trace), ...approval, existing };
}

function answer(parts: AcceptParts, number: JobNumber, state: JobState, trace: string | undefined): Accepted {
  const jobId = parts.numbers.idOf(number);
  return { jobId, state, traceId: trace ?? traceOf(jobId), queuedAtMs: acceptedAtMs(number), existing: false };
}
