import type { Approval, ApprovalState, Decision } from "../../approval/approval.ts";
import type { LevelFound } from "../../approval/judgement.ts";
import { isHardwareKey } from "../../approval/model/ssh-key.ts";
import { signStatement, signWithAgent } from "../../approval/ssh-keygen.ts";
import { makeStatement, parseStatement, signedDecision, statementText } from "../../approval/statement.ts";
import { AppError } from "../../error.ts";
import { osUser } from "../../host/local/os-user.ts";
import { choosePrincipal, chooseSigner, expectedLevel, type Signer, type SignerParts } from "./choose-signer.ts";
import { stateNow } from "./fields.ts";
import { refuseClosed, refuseLow, refuseRepeated, type StoringParts, storeDecision } from "./store-decision.ts";

/** What a decision is given with. */
export interface GivingParts extends StoringParts, SignerParts {}

/** What somebody wants to say about an approval. */
export interface Wish {
  readonly decision: Decision;
  readonly reason?: string | undefined;
  /** Default: the approver whose key is found. */
  readonly as?: string | undefined;
  /** Absolute. Default: the key of this account that the policy has. */
  readonly keyPath?: string | undefined;
}

/** A statement that was signed elsewhere. */
export interface SignedElsewhere {
  readonly statement: string;
  readonly signature: string;
}

/** A decision that was stored, and where the approval stands since. */
export interface GivenDecision extends LevelFound {
  readonly principal: string;
  readonly decision: Decision;
  readonly state: ApprovalState;
}

/** A statement that is not signed yet. */
export interface UnsignedStatement {
  readonly principal: string;
  readonly state: ApprovalState;
  readonly statement: string;
}

/**
 * Writes what is to be signed elsewhere.
 *
 * @throws AppError what {@link signDecision} throws before it signs.
 */
export async function prepareStatement(approval: Approval, wish: Wish, parts: GivingParts): Promise<UnsignedStatement> {
  refuseClosed(approval, wish.decision, parts.nowMs);
  const principal = await choosePrincipal(approval, wish, parts);
  refuseRepeated(approval, principal, wish.decision);
  return { principal, state: stateNow(approval, parts.nowMs), statement: write(approval, wish, principal, parts) };
}

/**
 * Signs a decision with a key of this account, and stores it.
 *
 * @throws AppError as {@link storeDecision} and {@link chooseSigner}; `APPROVAL_SIGNATURE` where nothing was signed.
 */
export async function signDecision(approval: Approval, wish: Wish, parts: GivingParts): Promise<GivenDecision> {
  const { decision } = wish;
  refuseClosed(approval, decision, parts.nowMs);
  const signer = await chooseSigner(approval, wish, parts);
  refuseRepeated(approval, signer.approver.principal, decision);
  // Before anybody types a passphrase or touches a key.
  if (decision === "approved") refuseLow(approval, foreseenLevel(approval, signer, parts));
  const statement = write(approval, wish, signer.approver.principal, parts);
  const { path, key } = signer;
  const options = parts.signal === undefined ? {} : { signal: parts.signal };
  const signature =
    path === undefined
      ? await signWithAgent(statement, key.line, options)
      : await signStatement(statement, path, options);
  return handIn(approval, { statement, signature }, parts);
}

/**
 * Takes a decision that was signed elsewhere.
 *
 * @throws AppError as {@link storeDecision}.
 */
export async function handIn(
  approval: Approval,
  { statement: text, signature }: SignedElsewhere,
  parts: StoringParts,
): Promise<GivenDecision> {
  const statement = parseStatement(text);
  if (statement === undefined)
    throw new AppError(
      "APPROVAL_ALTERED",
      "the statement is not what --print-statement writes, byte for byte; a line end behind it is a change too",
    );
  const { state, verified } = await storeDecision(approval, signedDecision(statement, signature), parts);
  const { principal, decision, level, reasons } = verified;
  return { principal, decision, state, level, reasons };
}

/**
 * A key of which the policy says that no asker can read it, and this account, which asked, reads it: then it is a plain one.
 * Only what can be seen from here: an agent's name says nothing of its account.
 */
function foreseenLevel({ askedBy }: Approval, signer: Signer, { inForce }: GivingParts): LevelFound {
  const level = expectedLevel(signer, inForce);
  const { approver, path, key } = signer;
  const isOwnAccount = (askedBy.kind === "person" || askedBy.kind === "unattended") && askedBy.name === osUser();
  if (!isOwnAccount || path === undefined || isHardwareKey(key) || approver.level !== "enforced") return level;
  const reason = `the policy says that no asking account can read the key of ${approver.principal}, but ${osUser()}, who asked, reads ${path}`;
  return { level: "advisory", reasons: [...level.reasons, reason] };
}

function write(
  approval: Approval,
  { decision, reason = "" }: Wish,
  principal: string,
  { inForce, nowMs }: GivingParts,
): string {
  const policyDigest = inForce.digest ?? null;
  return statementText(makeStatement(approval, { principal, decision, reason, decidedAtMs: nowMs, policyDigest }));
}
