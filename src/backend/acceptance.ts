import type { ApprovalDemand } from "../approval/approval.ts";
import type { JobSpec } from "../job/spec.ts";
import type { JobState } from "../job/state.ts";
import type { Actor } from "../policy/actor.ts";
import type { LimitedUse } from "./policy-log.ts";

/** A job that {@link Backend.accept} took, or the earlier one that its key names. */
export interface Accepted {
  readonly jobId: string;
  readonly state: JobState;
  readonly traceId: string;
  readonly queuedAtMs: number;
  /** True when an idempotency key, a child's slot or a schedule's slot gave an earlier job back. */
  readonly existing: boolean;
  /** It waits for this approval before it runs. */
  readonly approvalId?: string;
}

/** The question that is put to people before a job runs. Its time begins when the job is due. */
export interface JobQuestion extends ApprovalDemand {
  readonly title: string;
  /** JSON-safe: all that will be done. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** One job to accept. */
export interface Acceptance {
  readonly spec: JobSpec;
  readonly actor: Actor;
  /** The slot of a schedule that this job fills; the same slot is filled once. */
  readonly slot?: { readonly schedule: string; readonly instantMs: number; readonly missed: number };
  /** What it was asked for as; the policy is asked with it again before the job runs. Default `jobs.enqueue`. */
  readonly operation?: string;
  /** What the policy file said; for the history. */
  readonly verdict?: { readonly rule: string; readonly policy: "enforced" | "advisory" };
  /** Counted in the same commit, or it is not accepted. An earlier job that is given back is not counted. */
  readonly use?: LimitedUse;
  /** The policy wants leave for it: it waits for that before anything else is held for it. */
  readonly question?: JobQuestion;
}
