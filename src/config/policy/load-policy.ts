import type { PolicyInForce } from "../../policy/in-force.ts";
import type { Config } from "../config.ts";
import type { Origin } from "../schema/setting.ts";
import { type PolicyFileContent, readPolicyFile } from "./policy-file.ts";
import { type Account, ownAccount, writablePart } from "./trust.ts";

/** A policy file, and how far it can be trusted. */
export interface LoadedPolicy extends PolicyInForce, Pick<PolicyFileContent, "examples" | "lineOf"> {
  readonly policy: PolicyFileContent["policy"];
  readonly digest: string;
}

/**
 * Loads the policy that the configuration names or found.
 *
 * @param account who asks; default: the account of this process.
 * @throws AppError `CONFIG` when it cannot be read or is wrong.
 */
export function loadPolicy(
  { policy: path, policyOrigin }: { readonly policy: string } & Pick<Config, "policyOrigin">,
  account: Account | undefined = ownAccount(),
): LoadedPolicy {
  const file = readPolicyFile(path);
  const reason = whyAdvisory(path, policyOrigin, account);
  return { ...file, ...(reason === undefined ? { level: "enforced" } : { level: "advisory", reason }) };
}

/** Why the party that asks is not held by this policy; `undefined` when it is. */
function whyAdvisory(path: string, origin: Origin, account: Account | undefined): string | undefined {
  if (account === undefined) return "this system does not say who could change it";
  if (account.uid === 0) return "root, who asks, can change every file";
  if (origin.kind === "flag" || origin.kind === "environment") return "the call itself chose it";
  const part = writablePart(path, account);
  if (part !== undefined) return `the account that asks can change ${part}`;
  const config = origin.kind === "file" ? writablePart(origin.path, account) : undefined;
  return config === undefined ? undefined : `the account that asks can change ${config}, which names it`;
}
