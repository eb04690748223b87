import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { putFile } from "../../../test/support/windows-simulator/install.ts";
import { type LocalMachine, openMachine } from "../../../test/support/windows-simulator/powershell/local-transport.ts";
import { findPwsh } from "../../../test/support/windows-simulator/powershell/real.ts";
import { systemClock } from "../../clock.ts";
import { PowerShellRunner } from "./runner.ts";
import * as questions from "./scripts.ts";
import { askHost } from "./scripts.ts";

const pwsh = findPwsh();
const SHELLS = [
  { name: "the stand-in", pwsh: undefined },
  ...(pwsh === undefined ? [] : [{ name: "PowerShell 7", pwsh }]),
];
const signal = new AbortController().signal;
const options = { timeoutMs: 25_000, signal };

describe.each(SHELLS)("$name", ({ pwsh: real }) => {
  let machine: LocalMachine;
  let runner: PowerShellRunner;

  beforeAll(async () => {
    machine = openMachine({ pwsh: real });
    runner = await PowerShellRunner.start(machine, { clock: systemClock, signal });
  });
  afterAll(async () => {
    await runner[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
  });

  /** What only a real PowerShell can do: the stand-in runs no script that it does not know. */
  const testReal: (name: string, body: () => Promise<void>) => void = real === undefined ? () => {} : test;

  test("tells what it is and what time it is there", async () => {
    expect(await askHost(runner, questions.TELL_HOST, {}, options)).toMatchObject({
      system: expect.stringContaining("Windows"),
      version: "10.0.19045",
      powershell: runner.version,
    });
    const { utc_ms: utcMs } = await askHost(runner, questions.CLOCK, {}, options);
    expect(Math.abs(utcMs - Date.now())).toBeLessThan(10_000);
  });

  test("tells who listens on a port", async () => {
    const ask = () => askHost(runner, questions.LISTENING_PORT, { port: 7_887 }, options);
    expect(await ask()).toEqual({ is_listening: false, listeners: [] });
    machine.machine.putListener({ port: 7_887, pid: 4_711, image: "python.exe", address: "0.0.0.0" });
    expect(await ask()).toEqual({
      is_listening: true,
      listeners: [{ address: "0.0.0.0", pid: 4_711, name: "python.exe", path: "" }],
    });
  });

  test("a firewall rule is made once, and set right where it is wrong", async () => {
    const rule = { name: "Aloha-7887", port: 7_887, remote_address: "192.0.2.0/24" };
    const ask = (create: boolean) => askHost(runner, questions.FIREWALL_RULE, { ...rule, create }, options);
    expect(await ask(false)).toEqual({ is_right: false, changed: false, rules: [] });
    const right = { name: "Aloha-7887", is_enabled: true, direction: "Inbound", action: "Allow", protocol: "TCP" };
    const made = { ...right, local_port: "7887", remote_address: "192.0.2.0/24", profile: "Any" };
    expect(await ask(true)).toEqual({ is_right: true, changed: true, rules: [made] });
    expect(await ask(true)).toEqual({ is_right: true, changed: false, rules: [made] });
    machine.machine.putFirewallRule({ name: "Aloha-7887", localPort: 7_887, enabled: false });
    expect(await ask(false)).toMatchObject({ is_right: false, changed: false });
    expect(await ask(true)).toMatchObject({ is_right: true, changed: true });
    expect(machine.machine.firewallRules).toHaveLength(1);
  });

  test("an operator's own rule of that display name counts, one for another port does not", async () => {
    const own = { name: "{6a1f}", displayName: "Playwright-9323", localPort: 9_323 };
    machine.machine.putFirewallRule(own);
    const ask = (port: number) =>
      askHost(
        runner,
        questions.FIREWALL_RULE,
        { name: "Playwright-9323", port, create: false, remote_address: "" },
        options,
      );
    expect(await ask(9_323)).toMatchObject({ is_right: true, rules: [{ name: "{6a1f}" }] });
    expect(await ask(9_324)).toMatchObject({ is_right: false });
  });

  test("sessions are judged each for itself", async () => {
    const ask = () => askHost(runner, questions.DESKTOP_SESSION, {}, options);
    expect(await ask()).toEqual({ sessions: [] });
    machine.machine.putSession({ id: 1, name: "console", user: "operator" });
    machine.machine.putSession({ id: 2, user: "other", locked: true, state: "Disc" });
    const { sessions } = await ask();
    expect(sessions.toSorted((a, b) => a.id - b.id)).toEqual([
      { id: 1, user: "operator", is_connected: true, is_locked: false },
      { id: 2, user: "other", is_connected: false, is_locked: true },
    ]);
  });

  test("a task is known, started and seen running", async () => {
    const name = "WinAutomation-Test";
    const ask = () => askHost(runner, questions.SCHEDULED_TASK, { name }, options);
    const run = () => askHost(runner, questions.START_TASK, { name }, options);
    expect(await ask()).toEqual({ exists: false });
    expect(await run()).toMatchObject({ exists: false });
    machine.machine.putTask({ name, execute: "C:\\Tools\\sleeper.exe" });
    expect(await ask()).toMatchObject({ exists: true, state: "Ready", last_result: 267_011, last_run_at: null });
    expect(await run()).toMatchObject({ exists: true, was_running: false, state: "Running" });
    expect(await ask()).toMatchObject({ state: "Running", last_result: 267_009, execution_time_limit: "PT72H" });
    expect(await run()).toMatchObject({ was_running: true });
  });

  test("a file is read piece by piece, also from its end", async () => {
    putFile(machine.machine, "C:\\ProgramData\\a log.txt", "0123456789é");
    const ask = (offset: number, maxBytes = 100) => {
      const arg = { path: "C:\\ProgramData\\a log.txt", offset, max_bytes: maxBytes };
      return askHost(runner, questions.READ_FILE, arg, options);
    };
    expect(await ask(8)).toEqual({ exists: true, size: 12, offset: 8, data: Buffer.from("89é") });
    expect(await ask(0, 3)).toMatchObject({ offset: 0, data: Buffer.from("012") });
    expect(await ask(-4)).toMatchObject({ offset: 8, data: Buffer.from("89é") });
    expect(await ask(50)).toMatchObject({ offset: 12, data: Buffer.alloc(0) });
    const missing = { path: "C:\\ProgramData\\none.txt", offset: 0, max_bytes: 10 };
    expect(await askHost(runner, questions.READ_FILE, missing, options)).toMatchObject({ exists: false });
  });

  test("a script that fails is told with its reason, and the runner goes on", async () => {
    const broken = { name: "clock", text: "param($arg)\nthrow 'no clock'", digest: "" };
    const call = runner.call(broken, {}, options);
    await expect(call).rejects.toMatchObject({ code: "SCRIPT_FAILED" });
    expect(runner.isUsable).toBe(true);
    await askHost(runner, questions.CLOCK, {}, options);
  });

  testReal("what goes wrong in a script is said: thrown, misspelt, missing, too many", async () => {
    const said = (text: string) =>
      runner.call({ name: "clock", text, digest: "" }, {}, options).then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await said("param($arg)\nthrow 'no clock'")).toBe("clock failed on the host: no clock (line 2)");
    expect(await said("if (")).toContain("Missing condition");
    expect(await said("Get-Item /nowhere; 1")).toContain("Cannot find path '/nowhere'");
    expect(await said("1; 2")).toContain("2 values");
    expect(await said("exit 3")).toContain("0 values");
  });

  testReal("a script is cancelled and has a deadline", async () => {
    const script = { name: "clock", text: "Start-Sleep 100; 1", digest: "" };
    await expect(runner.call(script, {}, { timeoutMs: 200, signal })).rejects.toMatchObject({ code: "TIMEOUT" });
    const stop = new AbortController();
    const call = runner.call(script, {}, { timeoutMs: 20_000, signal: stop.signal });
    const reason = new Error("enough");
    setImmediate(() => stop.abort(reason));
    await expect(call).rejects.toBe(reason);
    expect(runner.isUsable).toBe(true);
  });
});
