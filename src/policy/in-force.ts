import { AppError } from "../error.ts";
import { type Actor, formatActor } from "./actor.ts";
import type { PolicyDecision } from "./decide.ts";
import type { Policy } from "./policy.ts";
import type { PolicyRequest } from "./request.ts";

/** The policy that holds in a process, and how far it can be trusted. */
export interface PolicyInForce {
  /** `undefined`: there is no file, and the built-in rules hold. */
  readonly policy: Policy | undefined;
  /** SHA-256 of what the file says, in hexadecimal. */
  readonly digest?: string;
  /** `enforced`: the account that asks could neither choose nor change it. */
  readonly level: "enforced" | "advisory";
  /** Why it is advisory. */
  readonly reason?: string;
}

/** No file: the built-in rules stand in a program that whoever runs it could change. */
export const NO_POLICY_FILE: PolicyInForce = {
  policy: undefined,
  level: "advisory",
  reason: "there is no policy file",
};

/** A refusal as it is recorded. */
export interface Denial {
  readonly actor: string;
  readonly operation: string;
  readonly type: string | null;
  readonly rule: string;
  /** SHA-256 of the canonical input, in hexadecimal. */
  readonly inputDigest: string | null;
  readonly policyDigest: string | null;
}

/** The record of a refusal. */
export function denialOf(inForce: PolicyInForce, actor: Actor, request: PolicyRequest, rule: string): Denial {
  return {
    actor: formatActor(actor),
    operation: request.operation,
    type: request.jobType ?? null,
    rule,
    inputDigest: request.inputDigest ?? null,
    policyDigest: inForce.digest ?? null,
  };
}

/** The error that a decision stands for; `undefined` where it gives leave, or wants that of people first. */
export function refusalOf(inForce: PolicyInForce, request: Asked, decision: PolicyDecision): AppError | undefined {
  if (decision.kind !== "deny") return undefined;
  return denied(inForce, request, decision.rule, `was refused by the rule ${decision.rule}`, decision.reason);
}

/** The error of what needs an approval and cannot wait for one. */
export function unaskable(inForce: PolicyInForce, request: Asked, rule: string): AppError {
  const reason = "only jobs can wait for one, so nothing was done; let the rule allow it, or deny it";
  return denied(inForce, request, rule, `needs an approval by the rule ${rule}`, reason);
}

type Asked = Pick<PolicyRequest, "operation" | "jobType">;

function denied(
  { level }: PolicyInForce,
  { operation, jobType }: Asked,
  rule: string,
  happened: string,
  reason: string,
): AppError {
  const what = jobType === undefined ? operation : `${operation} of ${jobType}`;
  return new AppError("POLICY_DENIED", `${what} ${happened} (policy=${level}): ${reason}`, {
    details: { rule, policy: level },
  });
}
