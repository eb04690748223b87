import type { Actor } from "./actor.ts";
import { allowingLine } from "./advice.ts";
import { BUILT_IN_POLICY, type Policy, type PolicyEffect, type PolicyRule } from "./policy.ts";
import type { PolicyRequest } from "./request.ts";

/** The answer of the policy, with the name of the rule that gave it. */
export type PolicyDecision =
  | { readonly kind: "allow"; readonly rule: string }
  | { readonly kind: "deny"; readonly rule: string; readonly reason: string }
  | {
      readonly kind: "needs-approval";
      readonly rule: string;
      /** Signing principals, any of whom may decide. */
      readonly approvers: readonly string[];
      /** How many of them must approve. */
      readonly quorum: number;
      readonly level: "advisory" | "enforced";
      readonly expiresInMs: number;
    };

/**
 * Says whether an actor may do something. Total: there is an answer for every request and nothing is thrown.
 *
 * The first rule that matches wins; what no rule matches is denied.
 *
 * @param policy the policy in force; `undefined` when there is no file, then {@link BUILT_IN_POLICY} holds.
 */
export function decide(policy: Policy | undefined, actor: Actor, request: PolicyRequest): PolicyDecision {
  const rule = (policy ?? BUILT_IN_POLICY).rules.find((candidate) => matches(candidate, actor, request));
  if (rule === undefined) {
    return { kind: "deny", rule: "no-match", reason: `no rule of the policy matches; ${advise(actor, request)}` };
  }
  return toDecision(rule.name, rule.effect, actor, request);
}

function matches(rule: PolicyRule, actor: Actor, request: PolicyRequest): boolean {
  return (
    (rule.actorKinds === undefined || rule.actorKinds.includes(actor.kind)) &&
    (rule.access === undefined || rule.access === request.access)
  );
}

function toDecision(rule: string, effect: PolicyEffect, actor: Actor, request: PolicyRequest): PolicyDecision {
  switch (effect.kind) {
    case "allow":
      return { kind: "allow", rule };
    case "deny":
      return { kind: "deny", rule, reason: `${effect.reason}; ${advise(actor, request)}` };
    case "needs-approval":
      return { rule, ...effect };
  }
}

function advise(actor: Actor, request: PolicyRequest): string {
  const line = allowingLine(actor, request);
  return line === undefined
    ? "no line of a policy can name this request exactly, because a name in it holds a *"
    : `to allow this, a person adds this line under "rules:" in windlass.policy.yaml beside the database: ${line}`;
}
