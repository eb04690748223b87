import type { Actor } from "./actor.ts";
import { advise } from "./advice.ts";
import { mismatch } from "./matching/mismatch.ts";
import { BUILT_IN_POLICY, type Policy, type PolicyRule } from "./policy.ts";
import type { PolicyRequest } from "./request.ts";

/** The answer of the policy, with the name of the rule that gave it. */
export type PolicyDecision =
  | {
      readonly kind: "allow";
      readonly rule: string;
      /** The rule is limited, and this is a change: the use must be counted where it is made. */
      readonly perHour?: number;
    }
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
      readonly perHour?: number;
    };

/**
 * Says whether an actor may do something. Total: there is an answer for every request and nothing is thrown.
 *
 * The first rule that matches wins; what no rule matches is denied. A rule whose limit is used up denies: later rules are
 * not looked at, or a limit would only move its actor on to them. Reading is neither counted nor limited.
 *
 * @param policy the policy in force; `undefined` when there is no file, then {@link BUILT_IN_POLICY} holds.
 */
export function decide(policy: Policy | undefined, actor: Actor, request: PolicyRequest): PolicyDecision {
  const { rules, file } = policy ?? BUILT_IN_POLICY;
  const rule = rules.find((candidate) => mismatch(candidate, actor, request) === undefined);
  if (rule === undefined)
    return { kind: "deny", rule: "no-match", reason: `no rule of the policy matches; ${advise(actor, request, file)}` };
  return applyRule(rule, actor, request, file);
}

/**
 * True when some rule could allow a request of which more may become known: its input, its time, its labels. Only what it
 * says already is held against the rules: who asks, what for, and the job type.
 */
export function couldBeAllowed(
  policy: Policy | undefined,
  actor: Actor,
  known: Pick<PolicyRequest, "operation" | "access" | "jobType">,
): boolean {
  const request: PolicyRequest = { ...known, labels: {}, nowMs: 0, used: {} };
  for (const rule of (policy ?? BUILT_IN_POLICY).rules) {
    const { hosts, urlHosts, argv, command, labels, when, env: _, types, ...said } = rule;
    const known = request.jobType === undefined || types === undefined ? said : { ...said, types };
    if (mismatch(known, actor, request) !== undefined) continue;
    if (rule.effect.kind !== "deny") return true;
    const open = [hosts, urlHosts, argv, command, labels, when, request.jobType === undefined ? types : undefined];
    if (open.every((condition) => condition === undefined)) return false;
  }
  return false;
}

function applyRule(rule: PolicyRule, actor: Actor, request: PolicyRequest, file: string | undefined): PolicyDecision {
  const { name, effect } = rule;
  if (effect.kind === "deny")
    return { kind: "deny", rule: name, reason: `${effect.reason}; ${advise(actor, request, file, rule)}` };
  const perHour = request.access === "write" ? rule.perHour : undefined;
  const used = Object.hasOwn(request.used, name) ? (request.used[name] ?? 0) : 0;
  if (perHour !== undefined && used >= perHour)
    return { kind: "deny", rule: name, reason: `its limit of ${perHour}/h is used up; try again later` };
  return { rule: name, ...effect, ...(perHour === undefined ? {} : { perHour }) };
}
