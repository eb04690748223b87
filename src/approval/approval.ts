import type { Actor } from "../policy/actor.ts";

/** What a decision is about: a job before it may run, or a durable job at one of its calls. */
export type SubjectKind = "job" | "call";

/** What is asked about, in full. An approver is shown exactly this, and a decision is bound to its digest. */
export interface Subject {
  readonly kind: SubjectKind;
  readonly jobId: string;
  readonly runNumber: number;
  /** The position of the call; 0 for a job as a whole. */
  readonly position: number;
  readonly title: string;
  /** A JSON value: what is to be done. */
  readonly details: unknown;
}

/** What an approval must be worth. */
export interface ApprovalTerms {
  /** Signing principals, any of whom may decide; empty: every approver of the policy. */
  readonly approvers: readonly string[];
  /** How many different ones must approve; one rejection is a veto. From 1. */
  readonly quorum: number;
  readonly level: ApprovalLevel;
  /** The policy's rule that asks for it; absent where the job's own code does. */
  readonly rule?: string;
}

/** What leave is needed for something that is about to be done. */
export interface ApprovalDemand {
  readonly terms: ApprovalTerms;
  /** How long the question stays open. */
  readonly expiresInMs: number;
}

/** `enforced`: the party that asked could neither change the policy nor use the key. */
export type ApprovalLevel = "advisory" | "enforced";

/** What a signature says. `revoked` takes back an approval that is not used yet. */
export type Decision = "approved" | "rejected" | "revoked";

/**
 * Where an approval stands. `withdrawn`: the job ended or was cancelled without it. Nothing but `pending` and, until it is
 * used, `approved` can change any more.
 */
export type ApprovalState = "pending" | "approved" | "rejected" | "revoked" | "expired" | "withdrawn";

/** A decision as it is stored: what was signed, and the signature. What it says counts only after it was verified. */
export interface SignedDecision {
  readonly principal: string;
  readonly decision: Decision;
  /** Empty where none was given. */
  readonly reason: string;
  /** As the statement says, Unix milliseconds. */
  readonly decidedAtMs: number;
  /** The signed bytes: the canonical JSON of a {@link Statement}. */
  readonly statement: string;
  /** An armored SSH signature of namespace `windlass-approval`. */
  readonly signature: string;
}

/** A person's leave for an exact subject: what was asked, of whom, and what they said. Times in Unix milliseconds. */
export interface Approval {
  /** A UUIDv7. */
  readonly approvalId: string;
  readonly subject: Subject;
  /** SHA-256 of the subject, in hexadecimal. */
  readonly subjectDigest: string;
  readonly askedBy: Actor;
  /** As they were when it was asked; whoever uses it asks its own policy again. */
  readonly terms: ApprovalTerms;
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
  readonly state: ApprovalState;
  /** When it got that state; null while pending. */
  readonly concludedAtMs: number | null;
  /** When the job went on by it. A used one counts for that run of that job and nothing else. */
  readonly usedAtMs: number | null;
  /** In the order in which they were stored. */
  readonly decisions: readonly SignedDecision[];
}
