import type { AppError } from "../../error.ts";
import type { ChildOptions } from "../../job/context.ts";
import type { ApproveRequest } from "../../job/durable/approve-options.ts";
import type { TransactionTables } from "../../job/durable/context.ts";
import type { MatchKey } from "../../job/durable/match.ts";
import type { RecordedFile } from "../../job/durable/outcome.ts";
import type { Call, CallOutcome, RecordedCall } from "../../job/durable/record.ts";
import type { BackoffRule } from "../../job/rules.ts";

/** A call at the position that it took. */
export interface PlacedCall extends Call {
  readonly position: number;
}

/** What a call waits for. */
export type Awaited =
  | { readonly kind: "sleep"; readonly forMs?: number; readonly untilMs?: number }
  | {
      readonly kind: "event";
      readonly event: string;
      readonly match: MatchKey;
      readonly timeoutMs?: number;
      readonly lookBackMs?: number;
    };

/** A child that a call makes. */
export interface ChildRequest {
  readonly type: string;
  readonly input: unknown;
  readonly options: Omit<ChildOptions, "key">;
  readonly awaited: boolean;
  readonly detached: boolean;
}

/** Code that may be suspended with the call that it makes. */
export interface Suspendable {
  /** False once it has ended: then nothing of it may be recorded. */
  readonly alive: boolean;
}

/** What making a call came to. Outcomes are as `outcome.ts` writes them. */
export type Issued =
  | { readonly kind: "settled"; readonly outcome: string }
  /** It waits; `suspended`: the run was, in the same transaction. */
  | { readonly kind: "open"; readonly suspended: boolean }
  /** The job was cancelled meanwhile, and nothing was recorded. */
  | { readonly kind: "cancelled" };

/** What suspending came to. */
export type Suspension =
  | { readonly kind: "suspended" }
  /** Nothing is left to wait for, or there is a decision to look at. */
  | { readonly kind: "settled" }
  | { readonly kind: "cancelled" };

/**
 * What the calls of a durable job ask of its backend, under the attempt's lease. Every write resolves after it is on disk;
 * one that the disk refuses for the moment is tried again. All throw `LEASE_LOST` when another worker has the job.
 */
export interface DurableServices {
  readonly positionsMax: number;
  /** Where a step says nothing. */
  readonly backoff: BackoffRule;
  /** The record of the run from a position on, in order. */
  readonly records: (from: number) => readonly RecordedCall[];
  /** The files that recorded steps of this run kept. */
  readonly keptFiles: () => readonly RecordedFile[];
  /** Records a call together with its outcome. */
  readonly append: (call: PlacedCall, outcome: string) => Promise<void>;
  /** Records a call that waits; with `suspend` the run is suspended in the same transaction, unless the wait is over already. */
  readonly wait: (call: PlacedCall, awaited: Awaited, suspend: Suspendable | undefined) => Promise<Issued>;
  /** Records a call that makes a child, and makes it. @throws AppError what `submit` throws; then nothing is recorded. */
  readonly child: (call: PlacedCall, child: ChildRequest, suspend: Suspendable | undefined) => Promise<Issued>;
  /** Records a call that asks people, or looks at what they decided since. @throws AppError `APPROVAL_UNVERIFIED`. */
  readonly approve: (call: PlacedCall, request: ApproveRequest, suspend: Suspendable | undefined) => Promise<Issued>;
  /**
   * Verifies that people gave the leave that the record says.
   *
   * @returns the error with which the run ends where they did not.
   * @throws AppError `APPROVAL_UNVERIFIED` where this machine cannot tell.
   */
  readonly confirm: (call: PlacedCall, request: ApproveRequest, outcome: CallOutcome) => Promise<AppError | undefined>;
  /** Suspends the run if any of its calls still waits. */
  readonly suspend: (suspend: Suspendable) => Promise<Suspension>;
  /**
   * Runs a synchronous function in a transaction that also records what came of it.
   *
   * @param write makes the outcome of what the function returned or threw; what it threw was undone.
   */
  readonly transaction: (
    call: PlacedCall,
    action: (db: TransactionTables) => unknown,
    write: (ended: { readonly value: unknown } | { readonly error: unknown }) => string,
  ) => Promise<string>;
}
