import type { FirewallRule } from "../../state-shapes.ts";
import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ machine }, arg) => {
  const name = String(arg["name"]);
  const port = Number(arg["port"]);
  const same = (text: string): boolean => text.toLowerCase() === name.toLowerCase();
  const find = (): readonly FirewallRule[] =>
    machine.firewallRules.filter((rule) => same(rule.name) || same(rule.displayName));
  const isRight = (rule: FirewallRule): boolean =>
    rule.enabled &&
    rule.direction === "Inbound" &&
    rule.action === "Allow" &&
    (rule.protocol === "Any" || (rule.protocol === "TCP" && (rule.localPort === "Any" || rule.localPort === port)));
  const changed = arg["create"] === true && !find().some(isRight);
  if (changed) {
    const own = find().find((rule) => same(rule.name));
    const remoteAddress = String(arg["remote_address"] || "Any");
    const right = { direction: "Inbound", action: "Allow", enabled: true, protocol: "TCP", localPort: port } as const;
    machine.putFirewallRule({ displayName: name, ...own, name: own?.name ?? name, ...right, remoteAddress });
  }
  return { is_right: find().some(isRight), changed, rules: find().map(row) };
};

function row(rule: FirewallRule): Readonly<Record<string, unknown>> {
  return {
    name: rule.name,
    is_enabled: rule.enabled,
    direction: rule.direction,
    action: rule.action,
    protocol: rule.protocol,
    local_port: String(rule.localPort),
    remote_address: rule.remoteAddress,
    profile: rule.profile,
  };
}
