import { expect, test } from "vitest";
import { judgePowershell, type MachineFacts } from "./judge-powershell.ts";

const machine: MachineFacts = {
  ...{ system: "Microsoft Windows 11 Pro", version: "10.0.26100", computer: "LAB1", user: "operator" },
  ...{ is_elevated: true, session_id: 0, powershell: "5.1.26100.1", edition: "Desktop", code_page: 850 },
};
const runner = { kind: "said", value: { startMs: 412, version: "5.1.26100.1" } } as const;
const server = "OpenSSH_for_Windows_9.5";

test("it says what the machine is", () => {
  expect(judgePowershell(runner, { kind: "said", value: machine }, { server })).toMatchObject({
    state: "ok",
    detail: "PowerShell 5.1.26100.1 as operator, elevated on LAB1: Microsoft Windows 11 Pro 10.0.26100, code page 850",
    facts: { start_ms: 412, os_build: "10.0.26100", openssh: server, code_page: 850, session_id: 0 },
  });
  const plain = judgePowershell(runner, { kind: "said", value: { ...machine, is_elevated: false } }, { server });
  expect(plain.detail).toContain("as operator, not elevated on");
});

test("an old one is a failure", () => {
  const old = { kind: "said", value: { startMs: 1, version: "4.0" } } as const;
  expect(judgePowershell(old, { kind: "said", value: machine }, { server })).toMatchObject({
    state: "fail",
    remedy: "install Windows Management Framework 5.1",
  });
});

test.each([
  ["RUNNER_FAILED", "unreachable", "`powershell -NoProfile -NonInteractive`"],
  ["TIMEOUT", "unreachable", "needs a minute"],
])("one that does not start (%s) is %s", (code, state, remedy) => {
  const failed = { kind: "failed", error: { code, message: "said" } } as const;
  const finding = judgePowershell(failed, { kind: "not_asked", reason: "" }, { server });
  expect(finding).toMatchObject({ state, remedy: expect.stringContaining(remedy) });
});

test("one that starts and cannot tell the machine is a failure that says so", () => {
  const failed = { kind: "failed", error: { code: "SCRIPT_FAILED", message: "WMI is broken" } } as const;
  expect(judgePowershell(runner, failed, { server })).toMatchObject({
    state: "fail",
    detail: "SCRIPT_FAILED: WMI is broken",
    facts: { powershell: "5.1.26100.1" },
  });
});

test("behind SSH that is down nothing is asked", () => {
  const down = { kind: "not_asked", reason: "ssh is down" } as const;
  expect(judgePowershell(down, down, { server: null })).toMatchObject({
    state: "unreachable",
    detail: "not asked: ssh is down",
    remedy: "see that line first",
  });
});
