import type { ErrorCode } from "../error.ts";
import type { ApprovalLevel, SignedDecision } from "./approval.ts";

/** A decision that does not count, and why: `message` says what is wrong with it and what to do. */
export interface Refusal {
  readonly kind: "refused";
  readonly principal: string;
  readonly decision: SignedDecision["decision"];
  readonly code: RefusalCode;
  readonly message: string;
}

export type RefusalCode = Extract<
  ErrorCode,
  | "APPROVAL_ALTERED"
  | "APPROVAL_SIGNATURE"
  | "APPROVER_UNKNOWN"
  | "APPROVAL_SELF_GIVEN"
  | "APPROVAL_EXPIRED"
  | "APPROVAL_LEVEL"
>;

/** A decision whose signature holds by the policy in force. */
export interface SoundDecision
  extends Pick<SignedDecision, "principal" | "decision" | "reason" | "decidedAtMs">,
    LevelFound {
  readonly kind: "sound";
}

/** What a decision is worth. */
export interface LevelFound {
  readonly level: ApprovalLevel;
  /** Why it is no more than advisory; empty where it is enforced. */
  readonly reasons: readonly string[];
}

export type VerifiedDecision = SoundDecision | Refusal;

/** Whoever decided, and what they said. */
interface Said extends LevelFound {
  /** In the order in which they were stored; each once. */
  readonly decidedBy: readonly string[];
  /** What they gave as reasons, joined. */
  readonly reason: string;
  /** When the last of them signed. */
  readonly decidedAtMs: number;
  /** Decisions that do not count. */
  readonly refusals: readonly Refusal[];
}

/** What an approval is worth now, by the policy in force. */
export type Judgement =
  | {
      readonly kind: "pending";
      /** Who has approved so far. */
      readonly decidedBy: readonly string[];
      readonly refusals: readonly Refusal[];
    }
  | ({ readonly kind: "approved" } & Said)
  /** One is enough, whoever else approved. */
  | ({ readonly kind: "rejected" } & Said)
  | ({ readonly kind: "revoked" } & Said)
  | { readonly kind: "expired"; readonly refusals: readonly Refusal[] };
