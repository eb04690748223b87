import type { AttemptControl } from "../../../attempt/control.ts";
import type { Issued, PlacedCall, Suspendable, Suspension } from "../../../attempt/durable/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import { isRecorded, storedOutcome } from "../durable/record-call.ts";
import { isSuspended, suspend } from "../durable/suspend.ts";
import type { Claim } from "../lease/claim.ts";
import type { Notice } from "../rows/notice.ts";
import { persist } from "./persist.ts";
import type { SharedLease } from "./running.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** The attempt whose code may be suspended. */
export interface IssueBinding {
  readonly claim: Claim;
  readonly control: AttemptControl;
  readonly lease: SharedLease;
  /** Keeps the code in memory while the suspension is written, and takes it out again when it was not suspended. */
  readonly park: () => () => void;
}

/** A call that waits. */
export interface IssueRequest {
  readonly call: PlacedCall;
  /** The code to suspend with it. */
  readonly code: Suspendable | undefined;
  readonly make: (tx: Transaction<Notice>) => Exclude<Issued, { kind: "cancelled" }>;
  /** It may have been recorded before. */
  readonly again?: boolean;
}

/** Records a call that waits and suspends the run with it, in one transaction where it is alone. */
export async function issueCall(parts: WorkerParts, binding: IssueBinding, request: IssueRequest): Promise<Issued> {
  const { call, code, make } = request;
  const { claim } = binding;
  const unpark = code === undefined ? undefined : binding.park();
  try {
    const issued = await persist(parts, binding, (tx, again): Issued => {
      if (again && isSuspended(tx, claim)) return { kind: "open", suspended: true };
      if (code?.alive === false) throw new AppError("LEASE_LOST", "this attempt has ended; its code waits no more");
      const made =
        (again || request.again) && isRecorded(tx.db, claim.entry, call.position)
          ? madeBefore(tx, claim, call)
          : make(tx);
      if (made.kind === "settled" || code === undefined) return made;
      const suspension = suspendIn(tx, parts, binding, code);
      // What waits is dropped with the run; nothing of it may stay if that is cancelled.
      if (suspension.kind === "cancelled") return { kind: "cancelled" };
      return { kind: "open", suspended: suspension.kind === "suspended" };
    });
    if (!(issued.kind === "open" && issued.suspended)) unpark?.();
    return issued;
  } catch (error) {
    unpark?.();
    throw error;
  }
}

function madeBefore(
  tx: Transaction<Notice>,
  { entry }: Claim,
  call: PlacedCall,
): Exclude<Issued, { kind: "cancelled" }> {
  const outcome = storedOutcome(tx.db, entry, call.position);
  return outcome == null ? { kind: "open", suspended: false } : { kind: "settled", outcome };
}

/** Suspends a run whose calls were recorded before. */
export async function suspendRun(parts: WorkerParts, binding: IssueBinding, code: Suspendable): Promise<Suspension> {
  const unpark = binding.park();
  try {
    const suspension = await persist(
      parts,
      binding,
      (tx, again): Suspension =>
        again && isSuspended(tx, binding.claim) ? { kind: "suspended" } : suspendIn(tx, parts, binding, code),
    );
    if (suspension.kind !== "suspended") unpark();
    return suspension;
  } catch (error) {
    unpark();
    throw error;
  }
}

/** The last word of its mutation. */
function suspendIn(
  tx: Transaction<Notice>,
  { id: worker }: WorkerParts,
  { claim, lease }: IssueBinding,
  code: Suspendable,
): Suspension {
  const suspension = suspend(tx, { claim, code, worker, others: lease.others });
  if (suspension.kind === "suspended") lease.left(tx);
  return suspension;
}
