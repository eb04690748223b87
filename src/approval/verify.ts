import { createHash } from "node:crypto";
import type { PolicyInForce } from "../policy/in-force.ts";
import type { Approval, ApprovalTerms, SignedDecision } from "./approval.ts";
import { type Candidate, checkDecision } from "./check-decision.ts";
import { judge } from "./judge.ts";
import type { Judgement, VerifiedDecision } from "./judgement.ts";
import { levelOf } from "./level.ts";
import { type SignatureClaim, verifySignature } from "./ssh-keygen.ts";

interface Options {
  readonly signal?: AbortSignal;
}

/**
 * Says what an approval is worth now. Everything is derived anew from what was signed and from the policy in force; what
 * the record claims of itself (its state, its digest, its terms) is not looked at, but for when it was used.
 *
 * @param approval with the subject that is really at stake.
 * @param terms as the policy of this process, and the code, want them now.
 * @throws AppError `PREREQUISITE_MISSING` without ssh-keygen, `TIMEOUT`, `CANCELLED`; a signature that does not hold is
 * no error but a refusal.
 */
export async function judgeApproval(
  approval: Approval,
  terms: ApprovalTerms,
  inForce: PolicyInForce,
  nowMs: number,
  options: Options = {},
): Promise<Judgement> {
  const verified: VerifiedDecision[] = [];
  // One after the other: a row that was filled by hand starts no swarm of processes.
  for (const signed of approval.decisions)
    verified.push(await verifyDecision(approval, signed, terms, inForce, options));
  return judge(approval, terms, verified, nowMs);
}

/** Verifies one decision, stored or about to be. The level is found and not yet held against the terms. */
export async function verifyDecision(
  approval: Approval,
  signed: SignedDecision,
  terms: Pick<ApprovalTerms, "approvers">,
  inForce: PolicyInForce,
  options: Options = {},
): Promise<VerifiedDecision> {
  const checked = checkDecision(approval, signed, terms, inForce);
  if (checked.kind === "refused") return checked;
  const { principal, decision, reason, decidedAtMs } = signed;
  if (!(await isGenuine(signed, checked, options)))
    return {
      kind: "refused",
      principal,
      decision,
      code: "APPROVAL_SIGNATURE",
      message: `the signature of ${principal} does not fit the statement: one of them was changed`,
    };
  const level = levelOf(inForce, checked.approver, checked.signature);
  return { kind: "sound", principal, decision, reason, decidedAtMs, ...level };
}

/** What was found genuine once stays so: the digest is of all that the answer depends on. Oldest first. */
const genuine = new Set<string>();
const GENUINE_MAX = 10_000;

async function isGenuine(
  { statement, signature, principal }: SignedDecision,
  { key }: Candidate,
  options: Options,
): Promise<boolean> {
  const claim: SignatureClaim = { statement, signature, principal, key: key.line };
  const digest = createHash("sha256")
    .update(JSON.stringify([statement, signature, principal, key.line]))
    .digest("base64");
  if (genuine.delete(digest)) {
    genuine.add(digest);
    return true;
  }
  // Only a yes is kept: a no may be of a machine without memory or disk.
  if (!(await verifySignature(claim, options))) return false;
  genuine.add(digest);
  for (const oldest of genuine) {
    if (genuine.size <= GENUINE_MAX) break;
    genuine.delete(oldest);
  }
  return true;
}
