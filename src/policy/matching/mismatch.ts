import { type Actor, formatActor } from "../actor.ts";
import type { PolicyRule } from "../policy.ts";
import type { PolicyRequest } from "../request.ts";
import { matchesAny } from "./pattern.ts";
import { runsWhatIsNamed } from "./programs.ts";
import { isOpen } from "./time-window.ts";

/** A condition of a rule, by the key that a policy file has for it. */
export type Condition =
  | "actors"
  | "access"
  | "operations"
  | "types"
  | "hosts"
  | "url_hosts"
  | "argv"
  | "command"
  | "labels"
  | "when";

/**
 * The first condition of a rule that a request does not meet; `undefined` when the rule matches. What the request does not
 * say (an operation that is no job has no type) meets no condition about it.
 */
export function mismatch(rule: PolicyRule, actor: Actor, request: PolicyRequest): Condition | undefined {
  if (rule.actors !== undefined && !matchesAny(rule.actors, formatActor(actor))) return "actors";
  if (rule.access !== undefined && rule.access !== request.access) return "access";
  if (rule.operations !== undefined && !matchesAny(rule.operations, request.operation)) return "operations";
  if (rule.types !== undefined && !matchesAny(rule.types, request.jobType)) return "types";
  if (rule.hosts !== undefined && !matchesAny(rule.hosts, request.host)) return "hosts";
  if (rule.urlHosts !== undefined && !matchesAny(rule.urlHosts, request.urlHost)) return "url_hosts";
  if (!runsWhatIsNamed(rule, request)) return rule.argv === undefined ? "command" : "argv";
  if (rule.labels !== undefined && !hasLabels(request.labels, rule.labels)) return "labels";
  if (rule.when !== undefined && !isOpen(rule.when, request.nowMs)) return "when";
  return undefined;
}

function hasLabels(given: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(given, name) && given[name] === value);
}
