import { randomUUID } from "node:crypto";
import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import type { FirewallRule } from "../state-shapes.ts";

const DIRECTIONS = { in: "Inbound", out: "Outbound" } as const;
const ACTIONS = { allow: "Allow", block: "Block" } as const;
const KEYS = new Set(["name", "dir", "action", "protocol", "localport", "remoteip", "profile", "enable"]);

/** `netsh advfirewall firewall add|show|delete rule name=… …`; `name` is the display name, which is not unique. */
export function main(program: Program): number {
  const [context, group, verb, noun, ...rest] = program.args.map((word) => word);
  const command = [context, group, verb, noun].join(" ").toLowerCase();
  const values = readValues(rest);
  switch (command) {
    case "advfirewall firewall add rule":
      return add(values, program);
    case "advfirewall firewall show rule":
      return show(found(values, program), program);
    case "advfirewall firewall delete rule":
      return remove(found(values, program), program);
    default:
      throw new NotModelled(`netsh ${program.args.join(" ")}`);
  }
}

function readValues(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words.map((word) => {
      const at = word.indexOf("=");
      const key = word.slice(0, at).toLowerCase();
      if (at === -1 || !KEYS.has(key)) throw new NotModelled(`netsh … ${word}`);
      return [key, word.slice(at + 1)];
    }),
  );
}

function add(values: ReadonlyMap<string, string>, program: Program): number {
  const direction = DIRECTIONS[(values.get("dir") ?? "").toLowerCase() as keyof typeof DIRECTIONS];
  const action = ACTIONS[(values.get("action") ?? "").toLowerCase() as keyof typeof ACTIONS];
  const displayName = values.get("name");
  if (direction === undefined || action === undefined || displayName === undefined) {
    program.line("\r\nA specified value is not valid.\r\n");
    return 1;
  }
  const port = values.get("localport");
  const protocol = (values.get("protocol") ?? "any").toUpperCase();
  program.machine.putFirewallRule({
    // Another rule each time, even under the same name.
    name: `{${randomUUID().toUpperCase()}}`,
    displayName,
    direction,
    action,
    enabled: values.get("enable")?.toLowerCase() !== "no",
    protocol: protocol === "ANY" ? "Any" : (protocol as "TCP" | "UDP"),
    localPort: port === undefined || port.toLowerCase() === "any" ? "Any" : Number(port),
    remoteAddress: values.get("remoteip") ?? "Any",
    profile: values.get("profile") ?? "Any",
  });
  program.line("Ok.\r\n");
  return 0;
}

function found(values: ReadonlyMap<string, string>, program: Program): readonly FirewallRule[] {
  const [key, ...more] = values.keys();
  const name = values.get("name");
  if (key !== "name" || more.length > 0 || name === undefined) throw new NotModelled("netsh … rule by more than name=");
  const isAll = name.toLowerCase() === "all";
  return program.machine.firewallRules.filter(
    ({ displayName }) => isAll || displayName.toLowerCase() === name.toLowerCase(),
  );
}

function show(rules: readonly FirewallRule[], program: Program): number {
  if (rules.length === 0) return none(program);
  for (const rule of rules) {
    const row = (label: string, value: string): void => program.line(`${`${label}:`.padEnd(38)}${value}`);
    program.line();
    row("Rule Name", rule.displayName);
    program.line("-".repeat(70));
    row("Enabled", rule.enabled ? "Yes" : "No");
    row("Direction", rule.direction === "Inbound" ? "In" : "Out");
    row("Profiles", rule.profile === "Any" ? "Domain,Private,Public" : rule.profile);
    row("Grouping", "");
    row("LocalIP", "Any");
    row("RemoteIP", rule.remoteAddress);
    row("Protocol", rule.protocol);
    row("LocalPort", String(rule.localPort));
    row("RemotePort", "Any");
    row("Edge traversal", "No");
    row("Action", rule.action);
  }
  program.line("Ok.\r\n");
  return 0;
}

function remove(rules: readonly FirewallRule[], program: Program): number {
  if (rules.length === 0) return none(program);
  for (const { name } of rules) program.machine.removeFirewallRule(name);
  program.line(`\r\nDeleted ${rules.length} rule(s).\r\nOk.\r\n`);
  return 0;
}

function none(program: Program): number {
  program.line("\r\nNo rules match the specified criteria.\r\n");
  return 1;
}
