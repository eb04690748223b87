import { NO_POLICY_FILE, type PolicyInForce } from "../../policy/in-force.ts";
import type { Config } from "../config.ts";

/**
 * The policy that holds for this configuration.
 *
 * @throws AppError `CONFIG` when there is a policy that cannot be read or is wrong.
 */
export async function policyInForce({ policy, policyOrigin, database }: Config): Promise<PolicyInForce> {
  if (policy === undefined) return NO_POLICY_FILE;
  // Loaded only where there is a file: reading YAML costs a start more than all of the policy.
  const { loadPolicy } = await import("./load-policy.ts");
  return loadPolicy({ policy, policyOrigin, database });
}
