import type { Approval } from "../../approval/approval.ts";
import { isSelfGiven, whyUnknown } from "../../approval/check-decision.ts";
import { levelOf } from "../../approval/level.ts";
import { fingerprint, type LocalKey, localKeys, readKeyFile } from "../../approval/local-keys.ts";
import { isHardwareKey, isSameKey, parseSshKey } from "../../approval/model/ssh-key.ts";
import { AppError } from "../../error.ts";
import type { PolicyInForce } from "../../policy/in-force.ts";
import type { Approver } from "../../policy/policy.ts";

/** Who decides, and with which key. */
export interface Signer extends LocalKey {
  readonly approver: Approver;
}

/** What the caller said about it. */
export interface SignerWish {
  readonly as?: string | undefined;
  /** Absolute. */
  readonly keyPath?: string | undefined;
}

/** Where to look. */
export interface SignerParts {
  readonly inForce: PolicyInForce;
  readonly home: string;
  readonly nowMs: number;
}

/**
 * Finds the approver whose key this account has: the one that is named, else one that is asked. Of several keys of theirs
 * the strictest comes first.
 *
 * @throws AppError `APPROVER_UNKNOWN`, `APPROVAL_SELF_GIVEN`, `USAGE` where several principals could be meant.
 */
export async function chooseSigner(approval: Approval, wish: SignerWish, parts: SignerParts): Promise<Signer> {
  const { inForce, home, nowMs } = parts;
  if (wish.as !== undefined) refuseUnasked(approval, wish.as, inForce);
  const keys = wish.keyPath === undefined ? await localKeys(home) : [await readKeyFile(wish.keyPath)];
  const known = (inForce.policy?.approvers ?? []).filter(({ untilMs = nowMs }) => nowMs <= untilMs);
  const mine = keys.flatMap((local) =>
    known.filter((one) => isKeyOf(one, local)).map((approver) => ({ ...local, approver })),
  );
  const asked = mine.filter(
    ({ approver: { principal } }) =>
      (wish.as === undefined || principal === wish.as) && whyUnknown(principal, approval.terms, inForce) === undefined,
  );
  const principals = [...new Set(asked.map(({ approver }) => approver.principal))];
  if (principals.length > 1)
    throw new AppError("USAGE", `your keys are those of ${principals.join(" and ")}; say who decides with --as`);
  const [signer] = asked.toSorted((a, b) => strictness(b, inForce) - strictness(a, inForce));
  if (signer === undefined) throw noSigner(approval, wish, { keys, mine, inForce });
  refuseUnasked(approval, signer.approver.principal, inForce);
  return signer;
}

/**
 * The principal of a statement that is signed elsewhere.
 *
 * @throws AppError as {@link chooseSigner}.
 */
export async function choosePrincipal(approval: Approval, wish: SignerWish, parts: SignerParts): Promise<string> {
  if (wish.as === undefined) return (await chooseSigner(approval, wish, parts)).approver.principal;
  refuseUnasked(approval, wish.as, parts.inForce);
  return wish.as;
}

function refuseUnasked(approval: Approval, principal: string, inForce: PolicyInForce): void {
  const unknown = whyUnknown(principal, approval.terms, inForce);
  if (unknown !== undefined) throw new AppError("APPROVER_UNKNOWN", unknown);
  if (isSelfGiven(approval, principal))
    throw new AppError("APPROVAL_SELF_GIVEN", `${principal} asked for this; another approver must decide it`);
}

function isKeyOf(approver: Approver, { key }: LocalKey): boolean {
  const known = parseSshKey(approver.key);
  return known !== undefined && isSameKey(known, key);
}

/** What a signature will be worth, should the key be touched where it can be. */
export function expectedLevel({ approver, key }: Signer, inForce: PolicyInForce) {
  return levelOf(inForce, approver, { present: isHardwareKey(key) ? true : undefined });
}

function strictness(signer: Signer, inForce: PolicyInForce): number {
  return -expectedLevel(signer, inForce).reasons.length;
}

function noSigner(
  { terms }: Approval,
  { as, keyPath }: SignerWish,
  found: { readonly keys: readonly LocalKey[]; readonly mine: readonly Signer[]; readonly inForce: PolicyInForce },
): AppError {
  const wanted = as ?? (terms.approvers.length === 0 ? "an approver of the policy" : terms.approvers.join(" or "));
  const [first] = found.mine;
  const elsewhere = "to sign on another machine: --print-statement";
  if (first !== undefined)
    return new AppError(
      "APPROVER_UNKNOWN",
      `${first.path ?? "a key of the SSH agent"} is the key of ${first.approver.principal}, and this is for ${wanted}; ${elsewhere}`,
    );
  if (found.inForce.policy === undefined || found.inForce.policy.approvers.length === 0)
    return new AppError(
      "APPROVER_UNKNOWN",
      `the policy has no approvers${found.inForce.policy?.file === undefined ? ", because there is no policy file" : ` (${found.inForce.policy.file})`}; \`windlass approvals setup\` makes the first one of your key`,
    );
  const [only] = found.keys;
  const looked =
    keyPath !== undefined && only !== undefined
      ? `--key ${keyPath} (${fingerprint(only.key)}) is not`
      : `none of the ${found.keys.length} keys in ~/.ssh and in the SSH agent is`;
  return new AppError(
    "APPROVER_UNKNOWN",
    `${looked} the key of ${wanted} in the policy; name another one with --key; ${elsewhere}`,
  );
}
