import { describe, expect, test } from "vitest";
import { ALOHA_SERVER } from "../host/model/on-machine.ts";
import type { RunnerEnd } from "../host/powershell/runner-end.ts";
import { firewallRule, type RepairSession, startCommand, startTask } from "./repairs.ts";

const options = { signal: new AbortController().signal };
const FREE = { is_listening: false, listeners: [] };
const TAKEN = { is_listening: true, listeners: [{ address: "0.0.0.0", pid: 4_321, name: "python.exe", path: "" }] };

/** A machine that answers questions as the test says, and notes what it was asked. */
function machine({
  answers = {},
  end = { kind: "exited", code: 0, leftProcesses: 0 },
}: {
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly end?: RunnerEnd;
}) {
  const asked: unknown[] = [];
  const session: RepairSession = {
    ask: async (question, arg) => {
      asked.push([question.name, arg]);
      return question.answer.parse(answers[question.name]);
    },
    runLine: async (line) => {
      asked.push(line);
      return end;
    },
  };
  return { session, asked };
}

describe("the firewall", () => {
  test.each([
    [{ is_right: true, changed: true, rules: [] }, "done", "the rule Aloha-7887 was made"],
    [{ is_right: true, changed: false, rules: [] }, "skipped", "the rule Aloha-7887 is there"],
    [{ is_right: false, changed: true, rules: [] }, "failed", "the rule Aloha-7887 could not be made"],
  ])("%o is %s", async (answer, state, detail) => {
    const { session, asked } = machine({ answers: { "firewall-rule": answer } });
    expect(await firewallRule(session, ALOHA_SERVER).run(options)).toEqual({ state, detail });
    const rule = { name: "Aloha-7887", port: 7_887, create: true, remote_address: "LocalSubnet" };
    expect(asked).toEqual([["firewall-rule", rule]]);
  });
});

describe("a start command", () => {
  const command = { line: "sc start aloha", setting: "aloha.server_start_cmd", port: 7_887 };

  test("that is not set asks nothing of the machine", async () => {
    const { session, asked } = machine({});
    const end = await startCommand(session, { ...command, line: "" }).run(options);
    expect(end).toEqual({ state: "skipped", detail: "aloha.server_start_cmd is not set" });
    expect(asked).toEqual([]);
  });

  test.each<[RunnerEnd, string, string]>([
    [{ kind: "exited", code: 0, leftProcesses: 0 }, "done", "ended with 0"],
    [{ kind: "exited", code: 3_221_225_477, leftProcesses: 0 }, "failed", "ended with 3221225477"],
    [{ kind: "timeout", remoteState: "killed" }, "failed", "it has to start and return"],
    [{ kind: "unknown", reason: "the connection was cut", remoteState: "unknown" }, "failed", "the connection was cut"],
  ])("that ended as %o", async (end, state, detail) => {
    const { session, asked } = machine({ answers: { "listening-port": FREE }, end });
    const done = await startCommand(session, command).run(options);
    expect(done).toEqual({ state, detail: expect.stringContaining(detail) });
    expect(asked).toEqual([["listening-port", { port: 7_887 }], "sc start aloha"]);
  });

  test("is not run while something listens", async () => {
    const { session, asked } = machine({ answers: { "listening-port": TAKEN } });
    const end = await startCommand(session, command).run(options);
    expect(end).toEqual({ state: "skipped", detail: expect.stringContaining("python.exe (process 4321) listens") });
    expect(asked).toHaveLength(1);
  });
});

describe("a scheduled task", () => {
  const task = { name: "WinAutomation-Aloha", hint: "make one", port: 7_888 };

  test.each([
    [{ exists: false, was_running: false, state: "", last_result: 0 }, "skipped", "there is no scheduled task"],
    [{ exists: true, was_running: true, state: "Running", last_result: 267_009 }, "skipped", "runs already"],
    [{ exists: true, was_running: false, state: "Running", last_result: 267_009 }, "done", "was started"],
    [{ exists: true, was_running: false, state: "Ready", last_result: 1 }, "failed", "did not start (Ready)"],
    [{ exists: true, was_running: false, state: "Disabled", last_result: 0 }, "failed", "did not start (Disabled)"],
  ])("that is %o: %s", async (answer, state, detail) => {
    const { session } = machine({ answers: { "listening-port": FREE, "start-task": answer } });
    expect(await startTask(session, task).run(options)).toEqual({ state, detail: expect.stringContaining(detail) });
  });
});
