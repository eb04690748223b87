import type { AttemptControl } from "../../../attempt/control.ts";
import type {
  DurableServices,
  Issued,
  PlacedCall,
  Suspendable,
  Suspension,
} from "../../../attempt/durable/services.ts";
import { pause } from "../../../clock.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError, isAppError } from "../../../error.ts";
import type { Claim } from "../claim.ts";
import { issueWait } from "../durable/issue-wait.ts";
import { storedText } from "../durable/outcome-text.ts";
import { isRecorded, readKept, readRecords, recordCall, storedOutcome } from "../durable/record-call.ts";
import { recordTransaction } from "../durable/record-transaction.ts";
import { startChild } from "../durable/start-child.ts";
import { isSuspended, suspend } from "../durable/suspend.ts";
import type { LeasedJob } from "../entry.ts";
import { checkLease } from "../lease.ts";
import type { Notice } from "../notice.ts";
import { storeValue } from "../store-value.ts";
import type { WorkerParts } from "./parts.ts";

/** A write that the disk refused is tried again this often, as long as the lease is kept. */
const WRITE_RETRY_MS = 1_000;

/** What the calls of one attempt are bound to. */
export interface DurableBinding {
  readonly claim: Claim;
  readonly control: AttemptControl;
  readonly jobId: string;
  readonly traceId: string;
  readonly positionsMax: number;
  /** Jobs of the same lease that have not ended, this one left out. */
  readonly others: (tx: Transaction<Notice>) => readonly LeasedJob[];
  /** True when many attempts run at this time. */
  readonly crowded: () => boolean;
  /** Keeps the code in memory while the suspension is written, and takes it out again when it was not suspended. */
  readonly park: () => () => void;
}

/** What the calls of a durable job ask of this backend. Every outcome is on disk before it is answered. */
export function durableServices(parts: WorkerParts, binding: DurableBinding): DurableServices {
  const { claim, positionsMax } = binding;
  const { db, limits, artifactRoot } = parts;
  const { entry, rules } = claim;
  return {
    positionsMax,
    backoff: rules.backoff,
    records: (from) => readRecords(db, entry, from),
    keptFiles: () => readKept(db, entry),
    append: (call, outcome) => {
      const stored = storedText(artifactRoot, outcome, limits);
      return persist(parts, binding, (tx, again) =>
        recordCall(tx, claim, call, { outcome: stored, again, crowded: binding.crowded() }),
      );
    },
    wait: (call, awaited, code) =>
      issue(parts, binding, { call, code, make: (tx) => issueWait(tx, claim, call, awaited) }),
    child: async (call, child, code) => {
      const { type, input, options, awaited, detached } = child;
      const acceptance = await parts.options.prepareChild(
        parentOf(parts, binding, call, { awaited, detached }),
        type,
        input,
        options,
      );
      const inputAt = storeValue(artifactRoot, acceptance.spec.inputJson, limits);
      const made = { claim, call, acceptance, awaited, ...(inputAt === undefined ? {} : { inputAt }) };
      return issue(parts, binding, { call, code, make: (tx) => startChild(tx, parts, made) });
    },
    suspend: (code) => suspendRun(parts, binding, code),
    transaction: (call, action, write) =>
      persist(parts, binding, (tx, again) => {
        checkLease(tx, claim.epoch);
        const known = again ? storedOutcome(tx.db, entry, call.position) : undefined;
        return known ?? recordTransaction(tx, entry, { call, action, write });
      }),
  };
}

interface IssueRequest {
  readonly call: PlacedCall;
  /** The code to suspend with it. */
  readonly code: Suspendable | undefined;
  readonly make: (tx: Transaction<Notice>) => Exclude<Issued, { kind: "cancelled" }>;
}

/** Records a call that waits and suspends the run with it, in one transaction where it is alone. */
async function issue(parts: WorkerParts, binding: DurableBinding, { call, code, make }: IssueRequest): Promise<Issued> {
  const { claim } = binding;
  const unpark = code === undefined ? undefined : binding.park();
  try {
    const issued = await persist(parts, binding, (tx, again): Issued => {
      if (again && isSuspended(tx, claim)) return { kind: "open", suspended: true };
      if (code?.alive === false) throw new AppError("LEASE_LOST", "this attempt has ended; its code waits no more");
      const made = again && isRecorded(tx.db, claim.entry, call.position) ? madeBefore(tx, claim, call) : make(tx);
      if (made.kind === "settled" || code === undefined) return made;
      const suspension = suspend(tx, { claim, code, worker: parts.id, others: binding.others });
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

async function suspendRun(parts: WorkerParts, binding: DurableBinding, code: Suspendable): Promise<Suspension> {
  const { claim, others } = binding;
  const unpark = binding.park();
  try {
    const suspension = await persist(
      parts,
      binding,
      (tx, again): Suspension =>
        again && isSuspended(tx, claim)
          ? { kind: "suspended" }
          : suspend(tx, { claim, code, worker: parts.id, others }),
    );
    if (suspension.kind !== "suspended") unpark();
    return suspension;
  } catch (error) {
    unpark();
    throw error;
  }
}

/** Writes what must be on disk before the code goes on; a disk that is full or busy holds it up, and no more. */
async function persist<T>(
  { writer, clock }: WorkerParts,
  { control }: DurableBinding,
  mutation: (tx: Transaction<Notice>, again: boolean) => T,
): Promise<T> {
  for (let again = false; ; again = true) {
    try {
      if (control.ended)
        throw new AppError("LEASE_LOST", "this attempt has ended; what its code does late counts for nothing");
      return await writer.mutate((tx) => mutation(tx, again));
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (control.reason !== undefined)
        throw new AppError("LEASE_LOST", "it could not be written before it had to stop", { cause: error });
    }
    await pause(clock, WRITE_RETRY_MS, control.signal);
  }
}

function isPassing(error: unknown): boolean {
  return (
    isAppError(error) &&
    (error.code === "DATABASE_FULL" || error.code === "DATABASE_BUSY" || error.code === "COMMIT_UNKNOWN")
  );
}

function parentOf(
  { interned, db }: WorkerParts,
  { claim, jobId, traceId }: DurableBinding,
  { position }: PlacedCall,
  { awaited, detached }: { readonly awaited: boolean; readonly detached: boolean },
) {
  const ref = {
    jobId,
    runNumber: claim.entry.run,
    slot: `at:${position}`,
    ...(awaited ? { awaited: true as const } : {}),
    ...(detached ? { detached: true as const } : {}),
  };
  return { ref, actor: interned.actor(db, claim.job.actor), traceId };
}
