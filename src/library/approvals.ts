import type { ApprovalLevel, ApprovalState, Decision } from "../approval/approval.ts";
import type { Judgement } from "../approval/judgement.ts";
import type { Actor } from "../policy/actor.ts";

/** Which approvals to list; all conditions hold. */
export interface ApprovalListFilter {
  /** Default: `pending`. `all`: whatever their state. */
  readonly state?: ApprovalState | "all";
  readonly jobId?: string;
  /** 1 to 1,000. Default 100. */
  readonly limit?: number;
  /** Where an earlier page ended. */
  readonly cursor?: string;
}

/** A question that is put to people. */
export interface ListedApproval {
  readonly approvalId: string;
  /** `job`: before a job may run; `call`: `ctx.approve` of a durable job. */
  readonly kind: "job" | "call";
  readonly jobId: string;
  readonly runNumber: number;
  /** The position of the durable call; 0 for a job as a whole. */
  readonly position: number;
  readonly state: ApprovalState;
  readonly title: string;
  /** As JSON: what is to be done, in full. */
  readonly details: unknown;
  /** SHA-256 of all of that and of who asked, in hexadecimal: what a decision is bound to. */
  readonly digest: string;
  readonly askedBy: Actor;
  readonly askedAt: Date;
  readonly expiresAt: Date;
  /** Who may decide; empty: every approver of the policy. */
  readonly approvers: readonly string[];
  readonly quorum: number;
  /** What an approval must be worth. */
  readonly level: ApprovalLevel;
  readonly concludedAt: Date | null;
  /** When the job went on by it. */
  readonly usedAt: Date | null;
}

/** One page of a list, the oldest question first. */
export interface ApprovalPage {
  readonly approvals: readonly ListedApproval[];
  /** Pass it as the next `cursor`; `null` on the last page. */
  readonly cursor: string | null;
}

/** A decision, and whether it holds by the policy of this process. */
export interface ShownDecision {
  readonly principal: string;
  readonly decision: Decision;
  readonly reason: string;
  readonly decidedAt: Date;
  /** What it is worth; `null` where it does not hold, and then `error` says why. */
  readonly level: ApprovalLevel | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** An approval with what was decided about it. */
export interface ShownApproval extends ListedApproval {
  /** What the signatures amount to by the policy of this process. */
  readonly judgement: Judgement["kind"];
  readonly decisions: readonly ShownDecision[];
}

/** What somebody says about an approval. */
export interface ApprovalSaying {
  readonly decision: Decision;
  /** It is signed, stored and shown. Default: none. */
  readonly reason?: string;
  /** The principal. Default: the approver whose key is found. */
  readonly as?: string;
  /** The SSH key to sign with, relative to the working folder. Default: the one in `~/.ssh` or in the SSH agent that the policy has. */
  readonly key?: string;
}

/** A decision that was signed elsewhere. */
export interface SignedSaying {
  /** The signed bytes, as {@link ApprovalsClient.statement} gave them. */
  readonly statement: string;
  /** What `ssh-keygen -Y sign -n windlass-approval` made of them. */
  readonly signature: string;
}

/** A decision that was stored. */
export interface DecidedApproval {
  readonly approvalId: string;
  readonly principal: string;
  readonly decision: Decision;
  /** Where the approval stands now. */
  readonly state: ApprovalState;
  /** What the decision is worth by the policy of this process. */
  readonly level: ApprovalLevel;
  /** Why it is no more than advisory. */
  readonly advisoryBecause: readonly string[];
}

/** What waits for people, and what they say to it. */
export interface ApprovalsClient {
  /** Approvals, the oldest question first, a page at a time. @throws AppError `INVALID_INPUT`. */
  list(filter?: ApprovalListFilter): Promise<ApprovalPage>;
  /** One approval, its decisions verified; `undefined` when there is none of that id. @throws AppError `PREREQUISITE_MISSING`. */
  show(approvalId: string): Promise<ShownApproval | undefined>;
  /**
   * The statement that is to be signed elsewhere: `ssh-keygen -Y sign -n windlass-approval` of exactly these bytes in UTF-8.
   *
   * @throws AppError as `decide` does.
   */
  statement(approvalId: string, saying: Omit<ApprovalSaying, "key">): Promise<string>;
  /**
   * Stores a decision: signed here with an SSH key of this account, or elsewhere. It is verified first, and again by the
   * worker that goes on by it. An agent cannot decide.
   *
   * @throws AppError `APPROVAL_NOT_FOUND`, `APPROVAL_CLOSED`, `APPROVAL_USED`, `APPROVAL_EXPIRED`, `APPROVAL_REPEATED`,
   * `APPROVAL_ALTERED`, `APPROVAL_SIGNATURE`, `APPROVER_UNKNOWN`, `APPROVAL_SELF_GIVEN`, `APPROVAL_BY_AGENT`,
   * `APPROVAL_LEVEL`, `PREREQUISITE_MISSING` without ssh-keygen, `POLICY_DENIED`.
   */
  decide(approvalId: string, saying: ApprovalSaying | SignedSaying): Promise<DecidedApproval>;
}
