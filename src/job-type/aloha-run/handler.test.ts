import { afterEach, expect, test } from "vitest";
import { type ActionReply, type Model, NO_KEY, script } from "../../../test/support/aloha-stand-in/action-server.ts";
import { AlohaBench, type BenchOptions } from "../../../test/support/aloha-stand-in/bench.ts";
import { until } from "../../../test/support/until.ts";
import { AlreadyDone } from "../../attempt/handlers.ts";

let bench: AlohaBench;
afterEach(() => bench.close());

async function open(options?: BenchOptions): Promise<AlohaBench> {
  bench = await AlohaBench.open(options);
  return bench;
}

test("a task that Aloha calls done is completed, with the evidence", async () => {
  await open({ model: script("CLICK", "INPUT", "STOP") });
  const result = await bench.run({ max_steps: 5, selected_screen: 0, demonstration: "demo", trace_id: "mine" });
  expect(result).toMatchObject({
    state: "completed",
    evidence: { source: "client_log", steps: 3, failed_actions: 0, log_offset: expect.any(Number) },
  });
  expect(bench.starts).toBe(1);
  expect(bench.client.fields).toEqual({
    task: "open it",
    selected_screen: 0,
    trace_id: "demo",
    server_url: `${bench.server.url}/generate_action`,
    max_steps: 6,
  });
  expect(bench.record).toMatchObject({
    host: "default",
    state: "completed",
    ended_by: "log",
    trace_id: "mine",
    request: { task: "open it", max_steps: 5, selected_screen: 0, demonstration: "demo" },
    answer: '{"message":"Task started","status":"success","task":"open it"}\n',
    evidence: { started: true, finished: true, steps: 3, completion: "shown" },
  });
  const log = bench.kept("log.txt");
  expect(log).toContain("process_input thread started.");
  expect(log).toContain("process_input thread finished.");
  expect(log).not.toContain("App main() function");
  expect(log).not.toContain("mine");
});

test("the effect is on record before the task is sent", async () => {
  await open();
  const starts: number[] = [];
  const { effects } = bench;
  const push = effects.push.bind(effects);
  effects.push = (...added) => {
    starts.push(bench.starts);
    return push(...added);
  };
  await bench.run({});
  expect(starts).toEqual([0]);
});

test.each([1, 3])("max_steps %i means that many steps, and steps that ran out are no success", async (steps) => {
  await open({ model: script("CLICK") });
  expect(await bench.failure({ max_steps: steps })).toMatchObject({ code: "STEP_LIMIT", steps, again: false });
  expect(bench.server.calls.length).toBe(steps);
  expect(bench.record).toMatchObject({ state: "step_limit" });
});

test("the last step may still say that the task is done", async () => {
  await open({ model: script("CLICK", "STOP") });
  expect(await bench.run({ max_steps: 2 })).toMatchObject({ state: "completed" });
});

test.each<[string, readonly [ActionReply, ...ActionReply[]], object]>([
  [
    "a model without a key",
    [NO_KEY],
    { code: "ALOHA_FAILED", message: "4 steps did nothing: Aloha has no key for its model; see aloha/log.txt" },
  ],
  [
    "actions that Aloha does not know",
    ["FOO"],
    { code: "ALOHA_FAILED", message: expect.stringContaining("none of its actions could be carried out") },
  ],
  ["one action that it does not know", ["FOO", "CLICK"], { code: "STEP_LIMIT" }],
  ["a server that breaks at once", [{ status: 500 }], { code: "HOST_UNREACHABLE", acted: false, again: true }],
  ["a server that breaks later", ["CLICK", { status: 500 }], { code: "HOST_UNREACHABLE", acted: true, again: false }],
  ["an answer without a plan", [{ raw: { status: "success" } }], { code: "ALOHA_FAILED", again: false }],
  [
    "a model that says the marker's words",
    [{ action: "CLICK", reasoning: "Task completed. Final screenshot:" }],
    { code: "STEP_LIMIT" },
  ],
])("%s", async (_name, replies, expected) => {
  await open({ model: script(...replies) });
  expect(await bench.failure({ max_steps: 4 })).toMatchObject(expected);
});

test("an action server that is not there is a dependency that cannot be reached", async () => {
  await open();
  await bench.server.stop();
  expect(await bench.failure({})).toMatchObject({ code: "HOST_UNREACHABLE", acted: false, again: true });
  bench.server.stop = () => Promise.resolve();
});

test("a screen that is not there fails, though Aloha took the task", async () => {
  await open();
  expect(await bench.failure({ selected_screen: 3 })).toMatchObject({
    code: "ALOHA_FAILED",
    message: "the run broke: Invalid screen index.; see aloha/log.txt",
  });
});

test("a task of several lines that quotes the log is followed to its own end", async () => {
  await open({ model: script("CLICK", "STOP") });
  const line = "2026-11-21 12:00:00,123 - INFO - process_input thread finished.";
  expect(await bench.run({ task: `find this:\n${line}\nin the öther file` })).toMatchObject({
    state: "completed",
    evidence: { steps: 2 },
  });
});

test.each([
  ["locked", "the desktop is locked"],
  ["absent", "nobody is logged on at the desktop"],
] as const)("a desktop that is %s blocks the job before anything is sent", async (kind, text) => {
  await open({ host: { desktop: () => Promise.resolve({ kind }) } });
  expect(await bench.failure({})).toMatchObject({
    code: "DESKTOP_LOCKED",
    message: expect.stringContaining(text),
    again: false,
  });
  expect([bench.client.seen.length, bench.effects.length]).toEqual([0, 0]);
});

test("work that is done already is not done again, whatever the desktop", async () => {
  const scripts: string[] = [];
  await open({
    host: {
      desktop: () => Promise.resolve({ kind: "locked" }),
      check: (text) => {
        scripts.push(text);
        return Promise.resolve({ isYes: true, warning: "idempotent_check printed False" });
      },
    },
  });
  const done = await bench.run({ idempotent_check: "Test-Path x" });
  expect(done).toBeInstanceOf(AlreadyDone);
  expect((done as AlreadyDone).result).toEqual({ state: "skipped", evidence: null, duration_ms: 0 });
  expect(await bench.check({ idempotent_check: "Test-Path x" })).toMatchObject({ state: "skipped" });
  expect([scripts, bench.client.seen.length]).toEqual([["Test-Path x", "Test-Path x"], 0]);
  expect(bench.warnings[0]).toBe("idempotent_check printed False");
});

test("a check that says no lets the work be done", async () => {
  await open();
  expect(await bench.check({ idempotent_check: "exit 1" })).toBeUndefined();
  expect(await bench.run({ idempotent_check: "exit 1" })).toMatchObject({ state: "completed" });
});

test("somebody else's run is waited for, and then the check is asked again", async () => {
  const held = Promise.withResolvers<void>();
  const model: Model = async ({ query }) => {
    if (query === "other") await held.promise;
    return "STOP";
  };
  let checks = 0;
  await open({
    model,
    host: {
      check: () => {
        checks++;
        return Promise.resolve({ isYes: checks > 1 });
      },
    },
  });
  await startOther();
  await bench.asked(1);
  const run = bench.run({ idempotent_check: "x" });
  await until(() => bench.probes > 2 || undefined, { what: "the job waits" });
  held.resolve();
  expect(await run).toBeInstanceOf(AlreadyDone);
  expect([checks, bench.starts]).toEqual([2, 1]);
});

test("an Aloha that does not tell whether it is busy: a refused start is tried again until the desktop is free", async () => {
  const held = Promise.withResolvers<void>();
  const model: Model = async ({ query }) => {
    if (query === "other") await held.promise;
    return "STOP";
  };
  await open({ model, busyProbe: false });
  await startOther();
  await bench.asked(1);
  const run = bench.run({});
  await until(() => bench.starts > 2 || undefined, { what: "the start is tried again" });
  held.resolve();
  expect(await run).toMatchObject({ state: "completed" });
});

test("two runs that began at once cannot be told apart", async () => {
  const both = Promise.withResolvers<void>();
  const statuses: number[] = [];
  await open({
    threadStart: async () => {
      // The flag is set inside the thread: until then the client takes another task.
      if (bench.starts === 1) statuses.push(await startOther());
      else both.resolve();
    },
  });
  const { readLog } = bench;
  bench.host = {
    ...bench.host,
    readLog: async (...args) => {
      if (bench.starts > 0) await both.promise;
      return readLog(...args);
    },
  };
  expect(await bench.failure({})).toMatchObject({
    code: "OUTCOME_UNKNOWN",
    message: expect.stringContaining("two runs were on at once"),
  });
  expect(statuses).toEqual([200]);
});

function startOther(): Promise<number> {
  const body = JSON.stringify({ task: "other", server_url: `${bench.server.url}/generate_action`, max_steps: 3 });
  const headers = { "content-type": "application/json" };
  return fetch(`${bench.client.url}/run_task`, { method: "POST", headers, body }).then(({ status }) => status);
}
