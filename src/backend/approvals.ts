import type { Approval, ApprovalState, SignedDecision } from "../approval/approval.ts";

/** Which approvals to list, oldest question first; all conditions hold. */
export interface ApprovalFilter {
  readonly state?: ApprovalState;
  readonly jobId?: string;
  /** 1 to 1,000. */
  readonly limit: number;
  /** As an earlier page gave it. */
  readonly cursor?: string;
}

/** What came of storing a decision. */
export type DecideResult =
  /** `state`: where it stands now; what waited for it goes on when it is not pending any more. */
  | { readonly kind: "stored"; readonly state: ApprovalState }
  | { readonly kind: "not_found" }
  /** It can be decided no more, or, of a revocation, it is not approved or was used. */
  | { readonly kind: "closed"; readonly state: ApprovalState; readonly used: boolean }
  /** This principal has decided before. */
  | { readonly kind: "repeated" };

/** The approvals of a backend. Asking for one is part of accepting a job, and of a durable call. */
export interface ApprovalStore {
  list(filter: ApprovalFilter): Promise<{ readonly approvals: readonly Approval[]; readonly cursor: string | null }>;
  find(approvalId: string): Promise<Approval | undefined>;
  /**
   * Stores a decision whose signature the caller has verified, and lets go on what waited for it once it is approved often
   * enough, rejected or revoked. What is stored here is verified again by whoever uses it.
   */
  decide(approvalId: string, decision: SignedDecision): Promise<DecideResult>;
}
