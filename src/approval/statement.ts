import { z } from "zod";
import { canonicalJson } from "../job/canonical-json.ts";
import { formatActor } from "../policy/actor.ts";
import type { Approval, Decision, SignedDecision } from "./approval.ts";
import { subjectDigest } from "./subject.ts";

/** What a signature is made for: one of another namespace says nothing here. */
export const NAMESPACE = "windlass-approval";

/** The longest reason, in characters. */
export const REASON_MAX = 1_000;

const Time = z.iso.datetime({ precision: 3 });
const Digest = z.string().regex(/^[0-9a-f]{64}$/);

/** What an approver signs. Times as ISO 8601 in UTC with milliseconds. */
export const Statement = z.strictObject({
  approval_id: z.string(),
  subject_kind: z.enum(["job", "call"]),
  subject_digest: Digest,
  title: z.string(),
  decision: z.enum(["approved", "rejected", "revoked"]),
  reason: z.string().max(REASON_MAX),
  asked_by: z.string(),
  decided_by: z.string(),
  /** Of the policy that the approver decided under; evidence, and not judged by. */
  policy_digest: Digest.nullable(),
  decided_at: Time,
  expires_at: Time,
});
export type Statement = z.output<typeof Statement>;

/** What an approver says, to be made a statement. */
export interface Saying {
  readonly principal: string;
  readonly decision: Decision;
  readonly reason: string;
  readonly decidedAtMs: number;
  readonly policyDigest: string | null;
}

/** Writes down what is to be signed about an approval. */
export function makeStatement(approval: Approval, saying: Saying): Statement {
  return {
    ...boundTo(approval),
    decision: saying.decision,
    reason: saying.reason,
    decided_by: saying.principal,
    policy_digest: saying.policyDigest,
    decided_at: timeText(saying.decidedAtMs),
  };
}

/** The bytes that are signed. */
export function statementText(statement: Statement): string {
  return canonicalJson(statement);
}

/** Reads signed bytes; `undefined` when they are not exactly what {@link statementText} writes. */
export function parseStatement(text: string): Statement | undefined {
  const parsed = Statement.safeParse(parseJson(text));
  return parsed.success && statementText(parsed.data) === text ? parsed.data : undefined;
}

/** The first field of a statement that says something else than the approval does; `undefined` when there is none. */
export function differingField(statement: Statement, approval: Approval): keyof Statement | undefined {
  const bound = boundTo(approval);
  const fields = Object.keys(bound) as (keyof typeof bound)[];
  return fields.find((field) => statement[field] !== bound[field]);
}

/** A decision as it is stored, of its signed bytes. */
export function signedDecision(statement: Statement, signature: string): SignedDecision {
  return {
    principal: statement.decided_by,
    decision: statement.decision,
    reason: statement.reason,
    decidedAtMs: Date.parse(statement.decided_at),
    statement: statementText(statement),
    signature,
  };
}

/** What every statement about an approval must say. */
function boundTo(approval: Approval) {
  const { approvalId, subject, askedBy, expiresAtMs } = approval;
  return {
    approval_id: approvalId,
    subject_kind: subject.kind,
    // Of what is there now: a digest that stands in a row proves nothing about the row.
    subject_digest: subjectDigest(subject, askedBy),
    title: subject.title,
    asked_by: formatActor(askedBy),
    expires_at: timeText(expiresAtMs),
  } as const satisfies Partial<Statement>;
}

function timeText(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
