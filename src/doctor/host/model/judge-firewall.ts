import { RULE_SCOPE } from "../../../host/model/on-machine.ts";
import { type Facts, type Finding, notConfigured, ok, warn } from "../../model/finding.ts";
import { type Answer, ASK_AGAIN, judgeNoAnswer } from "./answer.ts";

/** A rule that something on the machine is let in by. */
export interface WantedRule {
  readonly name: string;
  readonly port: number;
  /** False: what stands behind it is not configured, or reached without it. */
  readonly isNeeded: boolean;
}

/** What the machine says of the rules of one name. */
export interface RuleFacts {
  readonly is_right: boolean;
  readonly rules: readonly {
    readonly name: string;
    readonly is_enabled: boolean;
    readonly direction: string;
    readonly action: string;
    readonly protocol: string;
    readonly local_port: string;
  }[];
}

/** A rule with what was said of it. */
export interface AskedRule extends WantedRule {
  readonly answer: Answer<RuleFacts>;
}

/**
 * The rules of the machine's firewall. A missing one is no failure: what it is for may be reached another way, and whether
 * it is reached has lines of its own.
 */
export function judgeFirewall(asked: readonly AskedRule[]): Finding {
  const [first] = asked;
  if (first === undefined) return notConfigured("nothing that is configured needs a rule");
  const silent = asked.find(({ answer }) => answer.kind !== "said");
  if (silent !== undefined && silent.answer.kind !== "said") return judgeNoAnswer(silent.answer, ASK_AGAIN);
  const facts: Facts = Object.fromEntries(asked.map((rule) => [factName(rule), conditionOf(rule)]));
  const bad = asked.filter((rule) => rule.isNeeded && conditionOf(rule) !== "right");
  if (bad.length === 0) return ok(asked.map(sayRule).join(", "), facts);
  const remedy = bad.map((rule) => `\`${commandFor(rule)}\``).join("; ");
  return warn(
    asked.map(sayRule).join(", "),
    `as an administrator on the machine ${remedy}; \`windlass doctor --fix\` does it`,
    facts,
  );
}

/** The line that sets a rule right, as an administrator types it on the machine. */
export function commandFor({ name, port, answer }: AskedRule): string {
  const isOurs = answer.kind === "said" && answer.value.rules.some((rule) => rule.name === name);
  const what = `-Direction Inbound -Action Allow -Enabled True -Protocol TCP -LocalPort ${port} -RemoteAddress ${RULE_SCOPE}`;
  return isOurs
    ? `Set-NetFirewallRule -Name ${name} ${what}`
    : `New-NetFirewallRule -Name ${name} -DisplayName ${name} ${what}`;
}

/** The rules that are needed and not right. */
export function missingRules(asked: readonly AskedRule[]): readonly AskedRule[] {
  return asked.filter((rule) => rule.isNeeded && rule.answer.kind === "said" && !rule.answer.value.is_right);
}

function conditionOf({ answer, isNeeded }: AskedRule): "right" | "missing" | "disabled" | "wrong" | "not_needed" {
  if (answer.kind !== "said") return "missing";
  const { is_right, rules } = answer.value;
  if (is_right) return "right";
  if (!isNeeded) return "not_needed";
  if (rules.length === 0) return "missing";
  return rules.every(({ is_enabled }) => !is_enabled) ? "disabled" : "wrong";
}

function sayRule(rule: AskedRule): string {
  const { name, answer, isNeeded } = rule;
  const rows = answer.kind === "said" ? answer.value.rules : [];
  switch (conditionOf(rule)) {
    case "right":
      return isNeeded ? `${name} is right` : `${name} is there and not needed`;
    case "not_needed":
      return `${name} is not needed`;
    case "missing":
      return `${name} is missing`;
    case "disabled":
      return `${name} is disabled`;
    case "wrong": {
      const says = rows.map(
        ({ direction, action, protocol, local_port }) => `${direction} ${action} ${protocol} ${local_port}`,
      );
      return `${name} says something else (${says.join("; ")})`;
    }
  }
}

/** `aloha_7887` */
function factName({ name }: WantedRule): string {
  return name.toLowerCase().replaceAll("-", "_");
}
