import { type Actor, parseActor } from "../actor.ts";
import { decide, type PolicyDecision } from "../decide.ts";
import { jobFacts } from "../job-facts.ts";
import type { Policy } from "../policy.ts";
import type { PolicyRequest } from "../request.ts";
import type { ExampleEntry } from "./schema.ts";

/** What examples need that does not stand in them. */
export interface ExampleFacts {
  /** Unix milliseconds; the time of an example that says none. */
  readonly nowMs: number;
  /** What kind of thing an operation does. */
  accessOf(operation: string): "read" | "write";
}

/** What came of an example. */
export interface ExampleResult {
  readonly decision: PolicyDecision;
  readonly isAsExpected: boolean;
}

/** Asks the policy what an example asks. */
export function runExample(policy: Policy, example: ExampleEntry, facts: ExampleFacts): ExampleResult {
  const actor: Actor = { ...parseActor(example.actor), via: "cli" };
  const request = requestOf(example, facts);
  // Which rule it will be is not known before; a use counts only under that one.
  const used = Object.fromEntries(policy.rules.map(({ name }) => [name, example.used ?? 0]));
  const decision = decide(policy, actor, { ...request, used });
  const isAsExpected =
    decision.kind === example.expect && (example.rule === undefined || decision.rule === example.rule);
  return { decision, isAsExpected };
}

function requestOf(example: ExampleEntry, { nowMs, accessOf }: ExampleFacts): PolicyRequest {
  const { operation = "jobs.enqueue", type, host, argv, command, url, input, labels = {}, at } = example;
  return {
    operation,
    access: accessOf(operation),
    ...(type === undefined ? {} : { jobType: type }),
    ...jobFacts({ ...input, ...said({ host, argv, command, url }) }),
    labels,
    nowMs: at === undefined ? nowMs : Date.parse(at),
    used: {},
  };
}

function said(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
