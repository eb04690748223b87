import { randomBytes } from "node:crypto";
import type { Approval, ApprovalState, ApprovalTerms, SignedDecision, Subject } from "../../../approval/approval.ts";
import { subjectDigest } from "../../../approval/subject.ts";
import { type Connection, readJson, type SqlValue } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { formatUuid7 } from "../../../id.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobNumber, JobNumbers } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";

/** What reading approvals needs beside the database. */
export interface ApprovalParts {
  readonly numbers: JobNumbers;
  readonly interned: Interned;
}

/** What an approval is about, as its rows name it; position 0 is the job as a whole. */
export interface Question {
  readonly job: JobNumber;
  readonly run: number;
  readonly position: number;
}

/** A question as it is stored. */
export interface NewApproval extends Question {
  readonly title: string;
  readonly details: unknown;
  /** The number of whoever asks. */
  readonly actor: number;
  readonly terms: ApprovalTerms;
  readonly expiresAtMs: number;
}

interface Row extends Question {
  readonly id: string;
  readonly title: string;
  readonly details: string;
  readonly digest: string;
  readonly actor: number;
  readonly terms: string;
  readonly asked: number;
  readonly expires: number;
  readonly state: ApprovalState;
  readonly concluded: number | null;
  readonly used: number | null;
}

const COLUMNS = "id, job, run, position, title, details, digest, actor, terms, asked, expires, state, concluded, used";

/** Stores a question and returns its id. */
export function insertApproval(tx: Transaction<Notice>, parts: ApprovalParts, asked: NewApproval): string {
  const { job, run, position, title, details, actor, terms, expiresAtMs } = asked;
  const id = newApprovalId(tx.nowMs);
  const subject = subjectOf(parts, { job, run, position }, title, details);
  tx.db.run(
    `INSERT INTO approval (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', NULL, NULL)`,
    id,
    job,
    run,
    position,
    title,
    JSON.stringify(details),
    subjectDigest(subject, parts.interned.actor(tx.db, actor)),
    actor,
    JSON.stringify(terms),
    tx.nowMs,
    expiresAtMs,
  );
  return id;
}

/** Reads the approval of a question. */
export function approvalOf(db: Connection, parts: ApprovalParts, question: Question): Approval | undefined {
  const { job, run, position } = question;
  return readApprovals(db, parts, "job = ? AND run = ? AND position = ?", job, run, position)[0];
}

/** Reads an approval by its id. */
export function approvalById(db: Connection, parts: ApprovalParts, id: string): Approval | undefined {
  return readApprovals(db, parts, "id = ?", id)[0];
}

/** Reads the approvals for which a condition holds. @param rest what follows it, such as an order. */
export function readApprovals(
  db: Connection,
  parts: ApprovalParts,
  condition: string,
  ...values: readonly SqlValue[]
): Approval[] {
  return db
    .all<Row>(`SELECT ${COLUMNS} FROM approval WHERE ${condition}`, ...values)
    .map((row) => readApproval(db, parts, row));
}

function readApproval(db: Connection, parts: ApprovalParts, row: Row): Approval {
  const what = `approval ${row.id}`;
  return {
    approvalId: row.id,
    subject: subjectOf(parts, row, row.title, readJson<unknown>(row.details, what)),
    subjectDigest: row.digest,
    askedBy: parts.interned.actor(db, row.actor),
    terms: readJson<ApprovalTerms>(row.terms, what),
    askedAtMs: row.asked,
    expiresAtMs: row.expires,
    state: row.state,
    concludedAtMs: row.concluded,
    usedAtMs: row.used,
    decisions: readDecisions(db, row.id),
  };
}

function readDecisions(db: Connection, id: string): SignedDecision[] {
  return db
    .all<Omit<SignedDecision, "decidedAtMs"> & { at: number }>(
      "SELECT principal, decision, reason, at, statement, signature FROM decision WHERE approval = ? ORDER BY seq",
      id,
    )
    .map(({ at, ...decision }) => ({ ...decision, decidedAtMs: at }));
}

/** A subject by the numbers of its rows. */
export function subjectOf(
  { numbers }: Pick<ApprovalParts, "numbers">,
  { job, run, position }: Question,
  title: string,
  details: unknown,
): Subject {
  return { kind: position === 0 ? "job" : "call", jobId: numbers.idOf(job), runNumber: run, position, title, details };
}

function newApprovalId(nowMs: number): string {
  const bytes = randomBytes(10);
  return formatUuid7({
    unixMs: nowMs,
    counter: bytes.readUInt16LE(0) & 0xfff,
    tailHigh: bytes.readUInt32LE(2) >>> 2,
    tailLow: bytes.readUInt32LE(6),
  });
}
