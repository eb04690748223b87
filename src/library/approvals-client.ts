import { resolve } from "node:path";
import type { Approval, ApprovalState } from "../approval/approval.ts";
import { subjectDigest } from "../approval/subject.ts";
import { AppError } from "../error.ts";
import { homeFolder } from "../host/local/os-user.ts";
import { isUuid7 } from "../id.ts";
import { checkOptions } from "../job/check-options.ts";
import { approvalNotFound, ApprovalState as States, stateNow } from "../operations/approvals/fields.ts";
import { type GivingParts, handIn, prepareStatement, signDecision } from "../operations/approvals/give-decision.ts";
import { verifyAll } from "../operations/approvals/verify-all.ts";
import { refuseAgent } from "../operations/refuse-agent.ts";
import type {
  ApprovalListFilter,
  ApprovalPage,
  ApprovalSaying,
  DecidedApproval,
  ListedApproval,
  ShownApproval,
  SignedSaying,
} from "./approvals.ts";
import { dateOrNull } from "./job-status.ts";
import { askPolicy, type ClientParts } from "./parts.ts";

const FILTERS = ["state", "jobId", "limit", "cursor"] satisfies (keyof ApprovalListFilter)[];
const STATES: readonly string[] = [...States.options, "all"];

/** One page of approvals. */
export async function listApprovals({ windlass }: ClientParts, filter: ApprovalListFilter): Promise<ApprovalPage> {
  checkOptions("approvals.list", filter, FILTERS);
  const { state = "pending", jobId, limit = 100, cursor } = filter;
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 1_000))
    throw new AppError("INVALID_INPUT", `approvals.list: limit is ${limit}; it must be 1 to 1000`);
  if (!STATES.includes(state))
    throw new AppError(
      "INVALID_INPUT",
      `approvals.list: state is ${JSON.stringify(state)}; states are ${STATES.join(", ")}`,
    );
  const page = await windlass.backend.approvals.list({
    limit,
    ...(state === "all" ? {} : { state }),
    ...(jobId === undefined ? {} : { jobId }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  const nowMs = windlass.clock.now();
  return { approvals: page.approvals.map((approval) => listed(approval, nowMs)), cursor: page.cursor };
}

/** One approval, verified. */
export async function showApproval(parts: ClientParts, approvalId: string): Promise<ShownApproval | undefined> {
  const { windlass, closing } = parts;
  const approval = isUuid7(approvalId) ? await windlass.backend.approvals.find(approvalId) : undefined;
  if (approval === undefined) return undefined;
  const nowMs = windlass.clock.now();
  const { judgement, decisions } = await verifyAll(approval, windlass.gate.inForce, { nowMs, signal: closing });
  return {
    ...listed(approval, nowMs),
    judgement,
    decisions: decisions.map(({ signed: { principal, decision, reason, decidedAtMs }, level, refusal }) => ({
      principal,
      decision,
      reason,
      decidedAt: new Date(decidedAtMs),
      level,
      error: refusal === null ? null : { code: refusal.code, message: refusal.message },
    })),
  };
}

const SAYINGS = ["decision", "reason", "as", "key"] satisfies (keyof ApprovalSaying)[];
const SIGNED = ["statement", "signature"] satisfies (keyof SignedSaying)[];
const OPERATIONS = {
  approved: "approvals.approve",
  rejected: "approvals.reject",
  revoked: "approvals.revoke",
} as const;

/** What is to be signed elsewhere. */
export async function writeStatement(
  parts: ClientParts,
  approvalId: string,
  saying: Omit<ApprovalSaying, "key">,
): Promise<string> {
  checkOptions("approvals.statement", saying, SAYINGS.slice(0, -1));
  await ask(parts, saying.decision);
  const approval = await find(parts, approvalId);
  return (await prepareStatement(approval, wishOf(saying), givingParts(parts))).statement;
}

/** Stores a decision. */
export async function giveDecision(
  parts: ClientParts,
  approvalId: string,
  saying: ApprovalSaying | SignedSaying,
): Promise<DecidedApproval> {
  const isSigned = "statement" in saying;
  checkOptions("approvals.decide", saying, isSigned ? SIGNED : SAYINGS);
  await ask(parts, isSigned ? decisionIn(saying) : saying.decision);
  const approval = await find(parts, approvalId);
  const { principal, decision, state, level, reasons } = isSigned
    ? await handIn(approval, saying, givingParts(parts))
    : await signDecision(approval, wishOf(saying), givingParts(parts));
  return { approvalId, principal, decision, state, level, advisoryBecause: reasons };
}

/** What a statement claims to decide; whether it is one is found out when it is verified. */
function decisionIn({ statement }: SignedSaying): string {
  return /"decision":"(\w+)"/.exec(String(statement))?.[1] ?? "approved";
}

async function ask(parts: ClientParts, decision: string): Promise<void> {
  const operation = Object.entries(OPERATIONS).find(([known]) => known === decision)?.[1];
  if (operation === undefined)
    throw new AppError(
      "INVALID_INPUT",
      `approvals: decision is ${JSON.stringify(decision)}; it must be one of ${Object.keys(OPERATIONS).join(", ")}`,
    );
  await refuseAgent(operation, parts.actor, async () => parts.windlass.gate);
  await askPolicy(parts, operation);
}

async function find({ windlass }: ClientParts, approvalId: string): Promise<Approval> {
  const approval = isUuid7(approvalId) ? await windlass.backend.approvals.find(approvalId) : undefined;
  if (approval === undefined) throw approvalNotFound(approvalId, windlass.config.database.path);
  return approval;
}

function wishOf({ decision, reason, as, key }: ApprovalSaying) {
  return { decision, reason, as, keyPath: key === undefined ? undefined : resolve(key) };
}

function givingParts({ windlass, closing }: ClientParts): GivingParts {
  const { backend, gate, clock } = windlass;
  const { approvals } = backend;
  return { approvals, inForce: gate.inForce, nowMs: clock.now(), home: homeFolder(), signal: closing };
}

function listed(approval: Approval, nowMs: number): ListedApproval {
  const { approvalId, subject, askedBy, terms } = approval;
  const { kind, jobId, runNumber, position, title, details } = subject;
  const state: ApprovalState = stateNow(approval, nowMs);
  return {
    approvalId,
    kind,
    jobId,
    runNumber,
    position,
    state,
    title,
    details,
    digest: subjectDigest(subject, askedBy),
    askedBy,
    askedAt: new Date(approval.askedAtMs),
    expiresAt: new Date(approval.expiresAtMs),
    approvers: terms.approvers,
    quorum: terms.quorum,
    level: terms.level,
    concludedAt: dateOrNull(approval.concludedAtMs),
    usedAt: dateOrNull(approval.usedAtMs),
  };
}
