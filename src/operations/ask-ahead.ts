import type { PolicyGate } from "../backend/policy-gate.ts";
import type { JobType } from "../job/definition.ts";
import type { Actor } from "../policy/actor.ts";
import { type JobFacts, jobFacts } from "../policy/job-facts.ts";
import type { RequestedJob } from "./operation.ts";

/** Who asks ahead, for what. */
export interface AskedAhead {
  readonly actor: Actor;
  readonly operation: string;
  /** Empty: what is asked for names no job. */
  readonly jobs: readonly RequestedJob[];
  /** The types that this process knows. */
  readonly types: readonly JobType[];
}

/**
 * Refuses what no rule could allow, for a call that would first make or migrate a database.
 *
 * @throws AppError `POLICY_DENIED`
 */
export function askAhead(gate: PolicyGate, { actor, operation, jobs, types }: AskedAhead): void {
  if (jobs.length === 0) gate.refuseHopeless(actor, { operation, access: "write", labels: {} });
  for (const { type, input, requires = {} } of jobs)
    gate.refuseHopeless(
      actor,
      { operation, access: "write", jobType: type, ...factsAs(types, type, input), labels: requires },
      input ?? {},
    );
}

/** What rules look at in an input, with the defaults of its type (such as its host) where the type is known. */
export function factsAs(types: readonly JobType[], name: string, input: unknown): JobFacts {
  const parsed = types.find((type) => type.name === name)?.input.safeParse(input ?? {});
  return jobFacts(parsed?.success === true ? parsed.data : input);
}
