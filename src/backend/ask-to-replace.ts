import { type Actor, strictnessOf } from "../policy/actor.ts";
import type { PolicyGate } from "./policy-gate.ts";
import type { ScheduleStore } from "./schedules.ts";

/**
 * Asks whether somebody may put another schedule in the place of one that a freer party made: to the rules for jobs that
 * would be a new schedule like any other, and the old one would be gone.
 *
 * @throws AppError `POLICY_DENIED` where they may not delete it.
 */
export async function askToReplace(
  { gate, schedules }: { readonly gate: PolicyGate; readonly schedules: ScheduleStore },
  name: string,
  actor: Actor,
): Promise<void> {
  const known = await schedules.get(name);
  if (known === undefined || strictnessOf(actor) <= strictnessOf(known.actor)) return;
  await gate.ask(actor, { operation: "schedules.delete", access: "write", labels: {} });
}
