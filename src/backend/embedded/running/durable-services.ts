import type { ApprovalDemand } from "../../../approval/approval.ts";
import type { DurableServices, Issued, PlacedCall, Suspendable } from "../../../attempt/durable/services.ts";
import { AppError, toErrorRecord } from "../../../error.ts";
import type { ApproveRequest } from "../../../job/durable/approve-options.ts";
import { writeError } from "../../../job/durable/outcome.ts";
import { answerCall, askPeople } from "../durable/answer-call.ts";
import { issueWait } from "../durable/issue-wait.ts";
import { isRecorded, readKept, readRecords, recordCall, storedOutcome } from "../durable/record-call.ts";
import { recordTransaction } from "../durable/record-transaction.ts";
import { type NewChild, startChild } from "../durable/start-child.ts";
import { storeValue } from "../files/store-value.ts";
import { storedText } from "../files/stored-text.ts";
import { checkLease } from "../lease/lease.ts";
import { ChildGroup } from "./child-group.ts";
import { confirmCall, demandOf, judgeCall } from "./durable-approvals.ts";
import { type IssueBinding, issueCall, suspendRun } from "./issue-call.ts";
import { persist } from "./persist.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** What the calls of one attempt are bound to. */
export interface DurableBinding extends IssueBinding {
  readonly jobId: string;
  readonly traceId: string;
  readonly positionsMax: number;
  /** True when many attempts run at this time. */
  readonly crowded: () => boolean;
}

/** What the calls of a durable job ask of this backend. Every outcome is on disk before it is answered. */
export function durableServices(parts: WorkerParts, binding: DurableBinding): DurableServices {
  const { claim, positionsMax } = binding;
  const { db, limits, artifactRoot } = parts;
  const { entry, rules } = claim;
  const makeChild = (child: NewChild, code?: Suspendable): Promise<Issued> =>
    issueCall(parts, binding, {
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
      issueCall(parts, binding, { call, code, make: (tx) => issueWait(tx, claim, call, awaited) }),
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
    confirm: (call, request, outcome) => confirmCall({ parts, claim }, call, request, outcome),
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
  const { claim } = binding;
  const people = { parts, claim };
  if (isRecorded(parts.db, claim.entry, call.position)) {
    const judged = await judgeCall(people, call, request);
    if (judged === undefined)
      throw new AppError("APPROVAL_ALTERED", `approve ${JSON.stringify(call.name)}: its approval is gone`);
    return issueCall(parts, binding, { call, code, make: (tx) => answerCall(tx, parts, claim, judged) });
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
  return issueCall(parts, binding, {
    call,
    code,
    make: (tx) => askPeople(tx, parts, { claim, call, request, demand }),
  });
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
