import { policyLogAt } from "../backend/embedded/policy-log.ts";
import { PolicyGate } from "../backend/policy-gate.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { policyInForce } from "../config/policy/policy-in-force.ts";

/**
 * Where an operation asks its policy that opens no database, or opens it itself. Loads nothing of the engine.
 *
 * @throws AppError `CONFIG` when there is a policy that cannot be read or is wrong.
 */
export async function openGate(config: Config): Promise<PolicyGate> {
  return new PolicyGate({
    inForce: await policyInForce(config),
    log: policyLogAt(config.database.path, systemClock),
    clock: systemClock,
  });
}
