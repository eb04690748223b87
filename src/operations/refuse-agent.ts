import type { PolicyGate } from "../backend/policy-gate.ts";
import { AppError } from "../error.ts";
import { type Actor, formatActor } from "../policy/actor.ts";

/** Refuses what no policy can allow an agent; it is recorded as other refusals are. @throws AppError `APPROVAL_BY_AGENT`. */
export async function refuseAgent(operation: string, actor: Actor, gate: () => Promise<PolicyGate>): Promise<void> {
  if (actor.kind !== "agent") return;
  const asked = { operation, access: "write", labels: {} } as const;
  await gate()
    .then((opened) => opened.recordRefusal(actor, asked, "built-in.agents-decide-nothing"))
    .catch(() => undefined);
  throw new AppError(
    "APPROVAL_BY_AGENT",
    `${operation}: ${formatActor(actor)} cannot decide about approvals; a person does, with a key of their own`,
  );
}
