import type { ApprovalDemand } from "../../../approval/approval.ts";
import type { AttemptControl } from "../../../attempt/control.ts";
import type {
  DurableServices,
  Issued,
  PlacedCall,
  Suspendable,
  Suspension,
} from "../../../attempt/durable/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError, toErrorRecord } from "../../../error.ts";
import type { ApproveRequest } from "../../../job/durable/approve-options.ts";
import { writeError } from "../../../job/durable/outcome.ts";
import { answerCall, askPeople } from "../durable/answer-call.ts";
import { issueWait } from "../durable/issue-wait.ts";
import { isRecorded, readKept, readRecords, recordCall, storedOutcome } from "../durable/record-call.ts";
import { recordTransaction } from "../durable/record-transaction.ts";
import { type NewChild, startChild } from "../durable/start-child.ts";
import { isSuspended, suspend } from "../durable/suspend.ts";
import { storeValue } from "../files/store-value.ts";
import { storedText } from "../files/stored-text.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease } from "../lease/lease.ts";
import type { Notice } from "../rows/notice.ts";
import { ChildGroup } from "./child-group.ts";
import { confirmCall, demandOf, judgeCall } from "./durable-approvals.ts";
import type { WorkerParts } from "./parts.ts";
import { persist } from "./persist.ts";
import type { SharedLease } from "./running.ts";

/** What the calls of one attempt are bound to. */
export interface DurableBinding {
  readonly claim: Claim;
  readonly control: AttemptControl;
  readonly jobId: string;
  readonly traceId: string;
  readonly positionsMax: number;
  readonly lease: SharedLease;
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
  const makeChild = (child: NewChild, code?: Suspendable): Promise<Issued> =>
    issue(parts, binding, {
      call: child.call,
      code,
      make: (tx) => startChild(tx, parts, child),
      again: code === undefined,
    });
  const group = new ChildGroup(parts, () => binding.control.ended, makeChild);
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
      return code === undefined ? group.add(made) : makeChild(made, code);
    },
    approve: (call, request, code) => approve(parts, binding, { call, request, code }),
    confirm: (call, request, outcome) =>
      confirmCall({ parts, claim, control: binding.control }, call, request, outcome),
    suspend: (code) => suspendRun(parts, binding, code),
    transaction: (call, action, write) =>
      persist(parts, binding, (tx, again) => {
        checkLease(tx, claim.epoch);
        const known = again ? storedOutcome(tx.db, entry, call.position) : undefined;
        return known ?? recordTransaction(tx, entry, { call, action, write });
      }),
  };
}

interface ApproveCall {
  readonly call: PlacedCall;
  readonly request: ApproveRequest;
  readonly code: Suspendable | undefined;
}

/** Asks people, or looks at what they decided since they were asked. */
async function approve(
  parts: WorkerParts,
  binding: DurableBinding,
  { call, request, code }: ApproveCall,
): Promise<Issued> {
  const { claim, control } = binding;
  const people = { parts, claim, control };
  if (isRecorded(parts.db, claim.entry, call.position)) {
    const judged = await judgeCall(people, call, request);
    if (judged === undefined)
      throw new AppError("APPROVAL_ALTERED", `approve ${JSON.stringify(call.name)}: its approval is gone`);
    return issue(parts, binding, { call, code, make: (tx) => answerCall(tx, parts, claim, judged) });
  }
  let demand: ApprovalDemand;
  try {
    demand = demandOf(people, request, true);
  } catch (error) {
    // As the refusal of a child: it is the answer, now and when the code passes here again.
    const outcome = writeError(toErrorRecord(error));
    await persist(parts, binding, (tx, again) => recordCall(tx, claim, call, { outcome, again }));
    return { kind: "settled", outcome };
  }
  return issue(parts, binding, { call, code, make: (tx) => askPeople(tx, parts, { claim, call, request, demand }) });
}

interface IssueRequest {
  readonly call: PlacedCall;
  /** The code to suspend with it. */
  readonly code: Suspendable | undefined;
  readonly make: (tx: Transaction<Notice>) => Exclude<Issued, { kind: "cancelled" }>;
  /** It may have been recorded before. */
  readonly again?: boolean;
}

/** Records a call that waits and suspends the run with it, in one transaction where it is alone. */
async function issue(parts: WorkerParts, binding: DurableBinding, request: IssueRequest): Promise<Issued> {
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

async function suspendRun(parts: WorkerParts, binding: DurableBinding, code: Suspendable): Promise<Suspension> {
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
  { claim, lease }: DurableBinding,
  code: Suspendable,
): Suspension {
  const suspension = suspend(tx, { claim, code, worker, others: lease.others });
  if (suspension.kind === "suspended") lease.left(tx);
  return suspension;
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
