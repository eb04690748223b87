import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { Claim } from "../lease/claim.ts";
import type { Epochs } from "../lease/epochs.ts";
import { ENTRY_COLUMNS } from "../rows/entry.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { type JobRow, parseJob } from "../rows/job-row.ts";
import { type Notice, WORK } from "../rows/notice.ts";
import { type Candidate, makeClaims } from "./make-claims.ts";
import { mayStart } from "./start-gate.ts";

/** What a worker asks for. */
export interface ClaimRequest {
  readonly worker: number;
  /** Queues in the order in which they are served this time. */
  readonly queues: readonly number[];
  /** Free slots. */
  readonly limit: number;
  /**
   * `fresh` takes jobs whose worker never died; `suspect` those whose worker died once, each under a lease of its own;
   * `probation` one job whose worker died more often, which the caller lets run beside no other of its kind, so that the
   * next crash tells who caused it. The caller commits the last two durably: a job that brings the machine down must be
   * counted.
   */
  readonly kind: "fresh" | "suspect" | "probation";
}

/** A job on probation runs beside no other of its kind until it ends or has run this long without killing anybody. */
export const PROBATION_MS = 5_000;

/** See {@link COLUMNS}. */
type ReadyRow = readonly [
  rank: number,
  queue: number,
  job: JobNumber,
  run: number,
  attempt: number,
  failures: number,
  crashes: number,
  recover: number,
  rules: number,
  actor: number,
  due: number,
  env: string,
];

const COLUMNS = `r.rank, r.queue, ${ENTRY_COLUMNS.replaceAll(/\b(\w+)\b/g, "r.$1")}, j.rules, j.actor, j.due, j.env`;
const SELECT_READY = `SELECT ${COLUMNS} FROM ready r JOIN job j ON j.id = r.job`;
const SELECT_FRESH = `${SELECT_READY} WHERE r.queue = ? AND r.crashes = 0 ORDER BY r.rank, r.job LIMIT ?`;
/** Left to itself the planner walks the whole queue, because its key covers all columns. */
const SUSPECTS = "ready r INDEXED BY ready_suspect";
const SELECT_SUSPECT = `SELECT ${COLUMNS} FROM ${SUSPECTS} JOIN job j ON j.id = r.job WHERE r.queue = ? AND r.crashes > 0 AND r.crashes = 1 ORDER BY r.rank, r.job LIMIT ?`;
const SELECT_PROBATION = `SELECT ${COLUMNS} FROM ${SUSPECTS} JOIN job j ON j.id = r.job WHERE r.queue = ? AND r.crashes > 0 AND r.crashes > 1 ORDER BY r.rank, r.job LIMIT ?`;
const HAS_SUSPECT = `SELECT 1 FROM ${SUSPECTS} WHERE r.queue = ? AND r.crashes > 0 LIMIT 1`;
const SELECT_BY_KIND = { fresh: SELECT_FRESH, suspect: SELECT_SUSPECT, probation: SELECT_PROBATION } as const;
/** Everything up to the last row that was read, in one statement: what lies between was read too. */
const DELETE_HEAD = "DELETE FROM ready WHERE queue = ? AND (rank, job) <= (?, ?) AND crashes = 0";
const DELETE_ONE = "DELETE FROM ready WHERE queue = ? AND rank = ? AND job = ?";
const SELECT_ONE = `${SELECT_READY} WHERE r.queue = ? AND r.rank = ? AND r.job = ?`;

/** Rows of one queue that one claim reads at most, however many of them their rate limits hold back. */
const READ_MAX = 1_000;

/** Claims up to `limit` jobs under one lease. */
export function claimReady(
  tx: Transaction<Notice>,
  interned: Interned,
  epochs: Epochs,
  request: ClaimRequest,
): Claim[] {
  const taken: Candidate[] = [];
  const limit = request.kind === "probation" ? 1 : request.limit;
  for (const queue of request.queues) {
    takeFrom(tx, interned, { queue, kind: request.kind, limit }, taken);
    if (taken.length >= limit) break;
  }
  if (request.kind === "fresh") return makeClaims(tx, interned, epochs, request.worker, taken);
  return taken.flatMap((candidate) => makeClaims(tx, interned, epochs, request.worker, [candidate]));
}

/** A job that its rate limit holds back, or that came too late, makes room for the next one, so a queue may have to be read again. */
function takeFrom(
  tx: Transaction<Notice>,
  interned: Interned,
  { queue, kind, limit }: { readonly queue: number; readonly kind: ClaimRequest["kind"]; readonly limit: number },
  taken: Candidate[],
): void {
  const sql = SELECT_BY_KIND[kind];
  for (let read = 0; taken.length < limit; ) {
    const rows = tx.db.lists<ReadyRow>(sql, queue, limit - taken.length);
    const last = rows.at(-1);
    if (last === undefined) return;
    read += rows.length;
    const [lastRank, , lastJob] = last;
    if (kind === "fresh") tx.db.run(DELETE_HEAD, queue, lastRank, lastJob);
    else for (const [rank, , job] of rows) tx.db.run(DELETE_ONE, queue, rank, job);
    const startable = rows.map(readCandidate).filter(({ job, entry }) => mayStart(tx, interned, job, entry));
    taken.push(...startable);
    if (startable.length === rows.length) return;
    if (read >= READ_MAX) {
      tx.notify(WORK);
      return;
    }
  }
}

/** Claims one job if it is ready: for a process that runs what it has just enqueued. */
export function claimOne(
  tx: Transaction<Notice>,
  interned: Interned,
  epochs: Epochs,
  worker: number,
  job: Pick<JobRow, "id" | "queue" | "rank">,
): Claim[] {
  const [row] = tx.db.lists<ReadyRow>(SELECT_ONE, job.queue, job.rank, job.id);
  if (row === undefined) return [];
  tx.db.run(DELETE_ONE, job.queue, job.rank, job.id);
  const candidate = readCandidate(row);
  return mayStart(tx, interned, candidate.job, candidate.entry)
    ? makeClaims(tx, interned, epochs, worker, [candidate])
    : [];
}

/** True when a job whose worker died waits in these queues. */
export function hasSuspects(db: Connection, queues: readonly number[]): boolean {
  return queues.some((queue) => db.get(HAS_SUSPECT, queue) !== undefined);
}

/** Member by member: taking a list apart goes through its iterator. */
function readCandidate(row: ReadyRow): Candidate {
  const id = row[2];
  return {
    job: parseJob({ id, queue: row[1], rules: row[8], actor: row[9], rank: row[0], due: row[10], env: row[11] }),
    entry: { job: id, run: row[3], attempt: row[4], failures: row[5], crashes: row[6], recover: row[7] },
  };
}
