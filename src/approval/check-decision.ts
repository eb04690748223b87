import { formatActor } from "../policy/actor.ts";
import type { PolicyInForce } from "../policy/in-force.ts";
import type { Approver } from "../policy/policy.ts";
import type { Approval, ApprovalTerms, SignedDecision } from "./approval.ts";
import type { Refusal, RefusalCode } from "./judgement.ts";
import { parseSshKey, type SshKey } from "./model/ssh-key.ts";
import { parseSshSignature, type SshSignature } from "./model/ssh-signature.ts";
import { differingField, NAMESPACE, parseStatement, type Statement } from "./statement.ts";

/** Clocks of two machines differ. */
export const SKEW_MS = 5 * 60_000;

/** A decision that counts if its signature verifies. */
export interface Candidate {
  readonly kind: "candidate";
  readonly statement: Statement;
  readonly signature: SshSignature;
  readonly approver: Approver;
  readonly key: SshKey;
}

/** Checks everything about a stored decision but the signature itself. */
export function checkDecision(
  approval: Approval,
  signed: SignedDecision,
  terms: Pick<ApprovalTerms, "approvers">,
  inForce: PolicyInForce,
): Candidate | Refusal {
  const { principal, decision } = signed;
  const refuse = (code: RefusalCode, message: string): Refusal => ({
    kind: "refused",
    principal,
    decision,
    code,
    message,
  });
  const statement = parseStatement(signed.statement);
  const altered = findAltered(approval, signed, statement);
  if (statement === undefined || altered !== undefined) return refuse("APPROVAL_ALTERED", altered ?? "");
  const unknown = whyUnknown(principal, terms, inForce);
  if (unknown !== undefined) return refuse("APPROVER_UNKNOWN", unknown);
  if (isSelfGiven(approval, principal))
    return refuse("APPROVAL_SELF_GIVEN", `${principal} asked for this; another approver must decide it`);
  const untimely = whyUntimely(approval, signed.decidedAtMs, principal);
  if (untimely !== undefined) return refuse("APPROVAL_EXPIRED", untimely);
  const found = findKey(signed, inForce);
  return typeof found === "string" ? refuse("APPROVAL_SIGNATURE", found) : { kind: "candidate", statement, ...found };
}

function findAltered(approval: Approval, signed: SignedDecision, statement?: Statement): string | undefined {
  const { principal, decision, reason, decidedAtMs } = signed;
  if (statement === undefined)
    return `what ${principal} signed is no statement of this program, byte for byte; sign what approvals approve --print-statement writes, as it is`;
  const field = differingField(statement, approval);
  if (field !== undefined)
    return `${field} of what ${principal} signed is not that of the approval ${approval.approvalId}: one of them was changed since, or it was signed about another one; look at it with approvals show, and decide anew`;
  const isSame =
    statement.decided_by === principal &&
    statement.decision === decision &&
    statement.reason === reason &&
    Date.parse(statement.decided_at) === decidedAtMs;
  return isSame ? undefined : `the stored decision of ${principal} is not what the signed statement says`;
}

/** Why a principal may not decide; `undefined` when they may. */
export function whyUnknown(
  principal: string,
  { approvers }: Pick<ApprovalTerms, "approvers">,
  { policy }: PolicyInForce,
): string | undefined {
  const known = [...new Set((policy?.approvers ?? []).map((approver) => approver.principal))];
  if (!known.includes(principal)) {
    const there = known.length === 0 ? "it has none" : `there are ${known.join(", ")}`;
    const where = policy?.file === undefined ? "the policy (there is no file of one)" : policy.file;
    return `${principal} is no principal under approvers: in ${where}; ${there}`;
  }
  if (approvers.length === 0 || approvers.includes(principal)) return undefined;
  return `${principal} is not asked here; ${approvers.join(", ")} may decide`;
}

/**
 * True for the asker's own decision. Only over HTTP and MCP is an asker known by a name that could be a principal's; at a
 * command line it is an account, whose holder may well be the approver.
 */
export function isSelfGiven({ askedBy }: Pick<Approval, "askedBy">, principal: string): boolean {
  return (askedBy.via === "http" || askedBy.via === "mcp") && askedBy.name === principal;
}

function whyUntimely(
  { askedAtMs, expiresAtMs, askedBy }: Approval,
  decidedAtMs: number,
  principal: string,
): string | undefined {
  const time = (unixMs: number): string => new Date(unixMs).toISOString();
  if (decidedAtMs > expiresAtMs)
    return `${principal} decided at ${time(decidedAtMs)}; it could be decided until ${time(expiresAtMs)}`;
  if (decidedAtMs >= askedAtMs - SKEW_MS) return undefined;
  return `${principal} decided at ${time(decidedAtMs)}, before ${formatActor(askedBy)} asked at ${time(askedAtMs)}; set the clock, and decide anew`;
}

/** The entry of the policy whose key made the signature, or what is wrong. */
function findKey(
  { principal, signature: text, decidedAtMs }: SignedDecision,
  { policy }: PolicyInForce,
): Pick<Candidate, "signature" | "approver" | "key"> | string {
  const signature = parseSshSignature(text);
  if (signature === undefined) return `the signature of ${principal} is none that ssh-keygen -Y sign makes`;
  const { namespace, keyBlob, keyType } = signature;
  if (namespace !== NAMESPACE)
    return `the signature of ${principal} was made for ${JSON.stringify(namespace)}; sign with -n ${NAMESPACE}`;
  for (const approver of policy?.approvers ?? []) {
    if (approver.principal !== principal) continue;
    const key = parseSshKey(approver.key);
    if (key === undefined || !isEqual(key.blob, keyBlob)) continue;
    if (approver.untilMs === undefined || decidedAtMs <= approver.untilMs) return { signature, approver, key };
    return `the key of ${principal} that signed this counts until ${new Date(approver.untilMs).toISOString()}, by until: in the policy`;
  }
  return `the signature of ${principal} was made by another key (${keyType}) than the policy has for them`;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
