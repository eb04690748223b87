import { expect, test } from "vitest";
import { type AskedRule, judgeFirewall, missingRules, type RuleFacts } from "./judge-firewall.ts";

type Row = RuleFacts["rules"][number];
const row = (changes: Partial<Row> = {}): Row => ({
  ...{ name: "Aloha-7887", is_enabled: true, direction: "Inbound", action: "Allow", protocol: "TCP" },
  ...{ local_port: "7887", ...changes },
});
const rule = (is_right: boolean, rules: readonly Row[], changes: Partial<AskedRule> = {}): AskedRule => ({
  ...{ name: "Aloha-7887", port: 7_887, isNeeded: true },
  ...{ answer: { kind: "said", value: { is_right, rules } }, ...changes },
});

test("right rules are ok; one that nothing needs may be missing", () => {
  const browser = { name: "Playwright-9323", port: 9_323, isNeeded: false };
  expect(judgeFirewall([rule(true, [row()]), rule(false, [], browser)])).toEqual({
    state: "ok",
    detail: "Aloha-7887 is right, Playwright-9323 is not needed",
    facts: { aloha_7887: "right", playwright_9323: "not_needed" },
    remedy: null,
  });
  expect(judgeFirewall([rule(true, [row()], browser)]).detail).toBe("Playwright-9323 is there and not needed");
});

test("a missing one is worth a look, with the line to type", () => {
  expect(judgeFirewall([rule(false, [])])).toEqual({
    state: "warn",
    detail: "Aloha-7887 is missing",
    facts: { aloha_7887: "missing" },
    remedy:
      "as an administrator on the machine `New-NetFirewallRule -Name Aloha-7887 -DisplayName Aloha-7887 -Direction Inbound -Action Allow -Enabled True -Protocol TCP -LocalPort 7887 -RemoteAddress LocalSubnet`; `windlass doctor --fix` does it",
  });
});

test.each([
  ["disabled", row({ is_enabled: false }), "Aloha-7887 is disabled", "Set-NetFirewallRule -Name Aloha-7887 "],
  [
    "wrong",
    row({ local_port: "80" }),
    "something else (Inbound Allow TCP 80)",
    "Set-NetFirewallRule -Name Aloha-7887 ",
  ],
  ["wrong", row({ action: "Block" }), "something else (Inbound Block TCP 7887)", "Set-NetFirewallRule"],
  // A display name is not unique: the other one's rule is left alone.
  ["wrong", row({ name: "{5C2A}", local_port: "80" }), "something else", "New-NetFirewallRule -Name Aloha-7887 "],
] as const)("one that is %s is set right: %j", (condition, found, detail, remedy) => {
  const finding = judgeFirewall([rule(false, [found])]);
  expect(finding).toMatchObject({ state: "warn", facts: { aloha_7887: condition } });
  expect(finding.detail).toContain(detail);
  expect(finding.remedy).toContain(remedy);
});

test("only what is needed and known to be missing is made", () => {
  const unknown = rule(false, [], { answer: { kind: "failed", error: { code: "TIMEOUT", message: "late" } } });
  const missing = rule(false, []);
  expect(missingRules([missing, unknown, rule(true, []), rule(false, [], { isNeeded: false })])).toEqual([missing]);
  expect(judgeFirewall([missing, unknown])).toMatchObject({ state: "unreachable", detail: "TIMEOUT: late" });
});

test("where nothing needs a rule there is nothing to look at", () => {
  expect(judgeFirewall([]).state).toBe("not_configured");
});
