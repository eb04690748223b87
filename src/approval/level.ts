import type { PolicyInForce } from "../policy/in-force.ts";
import type { Approver } from "../policy/policy.ts";
import type { LevelFound } from "./judgement.ts";
import type { SshSignature } from "./model/ssh-signature.ts";

/**
 * What a verified signature is worth. Enforced: the policy is, and the key is a security key that was touched, or one of
 * which the policy's author says that no asking account can read it.
 */
export function levelOf(
  { level: policy, reason }: Pick<PolicyInForce, "level" | "reason">,
  { principal, level }: Pick<Approver, "principal" | "level">,
  { present }: Pick<SshSignature, "present">,
): LevelFound {
  const reasons = [
    ...(policy === "enforced" ? [] : [`the policy is advisory${reason === undefined ? "" : `: ${reason}`}`]),
    ...(level === "enforced" || present === true ? [] : [sayKey(principal, present)]),
  ];
  return { level: reasons.length === 0 ? "enforced" : "advisory", reasons };
}

function sayKey(principal: string, present: boolean | undefined): string {
  return present === undefined
    ? `the key of ${principal} is a plain one; use a security key (ssh-keygen -t ed25519-sk), or one that no agent's account can read and mark it level: enforced in the policy`
    : `the security key of ${principal} was not touched; make one without no-touch-required`;
}
