import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { JobSpec, ParentRef } from "../../../job/spec.ts";
import { takeUnit } from "../queue/rate-bucket.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf } from "../rows/standing.ts";
import type { AcceptParts } from "./accept-parts.ts";

/** A child's parent and its first ancestor. */
export interface Family {
  readonly parent: JobNumber;
  readonly root: JobNumber;
}

/**
 * Checks the loop guards of a job that another one makes, and finds its first ancestor.
 *
 * @throws AppError `LIMIT_REACHED`
 */
export function familyOf(tx: Transaction<Notice>, parts: AcceptParts, spec: JobSpec): Family | undefined {
  const { parent: ref } = spec;
  const parent = ref === undefined ? undefined : parts.numbers.numberOf(ref.jobId);
  if (ref === undefined || parent === undefined) return undefined;
  const { depth, root, firstRun } = ancestry(tx, parent);
  if (depth > parts.limits.depthMax) throw tooDeep(parts, spec, { ref, root, depth });
  if (parent === root && isFanOut(firstRun, ref)) return { parent, root };
  const { spawnRate: units } = parts.limits;
  if (units === 0 || takeUnit(tx, `spawn:${root}`, { units, perMs: 60_000 }).kind === "wait")
    throw tooFast(parts, spec, { ref, root });
  return { parent, root };
}

/** From a parent upwards. */
interface Ancestry {
  readonly root: JobNumber;
  /** How many ancestors, the parent included, have not ended. */
  readonly depth: number;
  /** The run that the parent's present one continues. */
  readonly firstRun: number | undefined;
}

/** Of parents that a transaction has met. */
const known = new WeakMap<Transaction<Notice>, Map<JobNumber, Ancestry>>();

/** Read once in a commit, however many children of one job it makes: it is a third of what a child costs. */
function ancestry(tx: Transaction<Notice>, parent: JobNumber): Ancestry {
  const met = known.get(tx) ?? new Map<JobNumber, Ancestry>();
  known.set(tx, met);
  const found = met.get(parent) ?? climb(tx.db, parent);
  met.set(parent, found);
  return found;
}

function climb(db: Connection, parent: JobNumber): Ancestry {
  let depth = 0;
  let root = parent;
  let firstRun: number | undefined;
  for (let next: JobNumber | undefined = parent; next !== undefined; ) {
    const job = readJob(db, next);
    if (job === undefined) break;
    root = job.env.root ?? job.id;
    if (next === parent) firstRun = job.env.first_run;
    if (standingOf(db, job)?.kind === "done") break;
    depth++;
    next = job.env.parent;
  }
  return { depth, root, firstRun };
}

/**
 * What a first ancestor makes itself is as much as it means to make: a loop needs generations. But the runs that `continueAs`
 * starts are generations too, unless they wait for what they make.
 */
function isFanOut(firstRun: number | undefined, { awaited, runNumber }: ParentRef): boolean {
  return awaited === true || firstRun === undefined || runNumber <= firstRun;
}

function tooDeep(
  { numbers, limits }: AcceptParts,
  { type }: JobSpec,
  { ref, root, depth }: { readonly ref: ParentRef; readonly root: JobNumber; readonly depth: number },
): AppError {
  return new AppError(
    "LIMIT_REACHED",
    `${type}: job ${ref.jobId} may not make it, because it would have ${depth} unfinished ancestors, the first of them job ${numbers.idOf(root)}, and job.depth_max is ${limits.depthMax}; look for a job that starts its own kind again, or raise job.depth_max if so many are meant`,
    {
      details: { parent: ref.jobId, first_ancestor: numbers.idOf(root), limit: limits.depthMax, key: "job.depth_max" },
    },
  );
}

function tooFast(
  { numbers, limits }: AcceptParts,
  { type }: JobSpec,
  { ref, root }: { readonly ref: ParentRef; readonly root: JobNumber },
): AppError {
  return new AppError(
    "LIMIT_REACHED",
    `${type}: job ${ref.jobId} may not make it, because the descendants of job ${numbers.idOf(root)} made ${limits.spawnRate} jobs within a minute, which is job.spawn_rate; look for a job that starts its own kind again, give it a delay, or raise job.spawn_rate if so many are meant`,
    {
      details: {
        parent: ref.jobId,
        first_ancestor: numbers.idOf(root),
        limit: limits.spawnRate,
        key: "job.spawn_rate",
      },
    },
  );
}

/** A cancel of the parent is meant for the children too that it makes before it has stopped. */
export function isCancelled(db: Connection, parent: JobNumber, run: number): boolean {
  return (
    db.get(
      `SELECT 1 FROM cancel_request WHERE job = ?1 AND run = ?2
       UNION ALL SELECT 1 FROM done WHERE job = ?1 AND run = ?2 AND state = 'cancelled' LIMIT 1`,
      parent,
      run,
    ) !== undefined
  );
}
