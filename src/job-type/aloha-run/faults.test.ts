import { afterEach, describe, expect, test } from "vitest";
import { type Model, script } from "../../../test/support/aloha-stand-in/action-server.ts";
import { AlohaBench, type BenchOptions, failureOf } from "../../../test/support/aloha-stand-in/bench.ts";
import { type Fault, htmlError } from "../../../test/support/aloha-stand-in/web.ts";
import { until } from "../../../test/support/until.ts";

let bench: AlohaBench;
let release: () => void;
afterEach(() => bench.close());

/** The model says CLICK until the test lets it go on, and then STOP. */
async function open({ from = 2, ...options }: BenchOptions & { readonly from?: number } = {}): Promise<AlohaBench> {
  const held = Promise.withResolvers<void>();
  release = held.resolve;
  const model: Model = async (call, step) => {
    if (step >= from) await held.promise;
    return script("CLICK", "STOP")(call, step);
  };
  bench = await AlohaBench.open({ model, ...options });
  return bench;
}

const onStart = (kind: Fault["kind"]): Fault => ({ on: "POST /run_task", body: /^\{/, kind });
const unreadable = { readLog: () => Promise.reject(new Error("access is denied")) };

describe("a start that is not answered", () => {
  test.each([
    ["was never heard", "cut"],
    ["stayed at a gateway", htmlError(502)],
    ["was refused by a gateway that waited", htmlError(504)],
  ] as const)("and %s is sent again once that is certain", async (_name, kind) => {
    await open({ from: 9 });
    bench.client.faults.push(onStart(kind));
    expect(await bench.run({})).toMatchObject({ state: "completed" });
    expect(bench.starts).toBe(2);
    expect(bench.kept("log.txt").match(/thread started/g)?.length).toBe(1);
  });

  test("and took place is followed, and never sent again", async () => {
    await open({ from: 9 });
    bench.client.faults.push(onStart("cut-after"));
    expect(await bench.run({})).toMatchObject({ state: "completed" });
    expect(bench.starts).toBe(1);
  });

  test("and took place is followed too when the answer only never came", async () => {
    await open({ from: 9 });
    bench.client.faults.push(onStart("silent-after"));
    const run = bench.run({});
    await until(() => bench.starts > 0 || undefined, { what: "the start has arrived" });
    bench.clock.pass(10_000);
    expect(await run).toMatchObject({ state: "completed" });
    expect(bench.starts).toBe(1);
  });

  test("is not sent a fourth time, and the job may be tried again", async () => {
    await open();
    bench.client.faults.push(onStart("cut"), onStart("cut"), onStart("cut"));
    expect(await bench.failure({})).toMatchObject({ code: "HOST_UNREACHABLE", acted: false, again: true });
    expect(bench.starts).toBe(3);
  });

  test("is not sent again where the log cannot tell, because a short run may be over", async () => {
    await open({ host: unreadable });
    bench.client.faults.push(onStart("cut"));
    expect(await bench.failure({})).toMatchObject({ code: "OUTCOME_UNKNOWN", again: false });
    expect(bench.starts).toBe(1);
    expect(bench.record).toMatchObject({ state: "unknown", answer: null });
  });

  test("is not sent again where the log is not the client's", async () => {
    await open({ host: { readLog: () => Promise.resolve({ kind: "read", bytes: new Uint8Array(), sizeBytes: 0 }) } });
    bench.client.faults.push(onStart("cut-after"));
    expect(await bench.failure({})).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(bench.starts).toBe(1);
  });
});

describe("without the log", () => {
  test("the end is seen by the client's busy answer, and how it ended stays unknown", async () => {
    await open({ host: unreadable });
    const failure = bench.failure({});
    await bench.asked(2);
    release();
    expect(await failure).toMatchObject({
      code: "OUTCOME_UNKNOWN",
      message: expect.stringContaining("its log could not be read"),
      again: false,
    });
    expect(bench.record).toMatchObject({ state: "unknown", ended_by: "busy_probe", evidence: null });
    expect(bench.warnings[0]).toContain("aloha.client_log cannot be read");
  });

  test("and without the busy answer nothing is begun", async () => {
    await open({ host: unreadable, busyProbe: false });
    expect(await bench.failure({})).toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("access is denied"),
    });
    expect([bench.starts, bench.effects.length]).toEqual([0, 0]);
  });

  test("a file that is not the log of this client says nothing", async () => {
    await open({ host: { readLog: () => Promise.resolve({ kind: "missing" }) } });
    release();
    expect(await bench.failure({})).toMatchObject({
      code: "OUTCOME_UNKNOWN",
      message: expect.stringContaining("its log says nothing of the run"),
    });
  });

  test("that cannot be read for a while the end is read later", async () => {
    await open();
    const { readLog } = bench;
    let broken = false;
    let failures = 0;
    bench.host = {
      ...bench.host,
      readLog: (...args) => {
        if (!broken || (!bench.client.busy && ++failures > 10)) return readLog(...args);
        return unreadable.readLog();
      },
    };
    const run = bench.run({});
    await bench.asked(2);
    broken = true;
    await until(() => bench.warnings[0], { what: "the log is missed" });
    release();
    expect(await run).toMatchObject({ state: "completed" });
    expect(failures).toBeGreaterThan(10);
  });

  test("that can never be read again the outcome stays unknown", async () => {
    await open();
    const { readLog } = bench;
    let broken = false;
    bench.host = { ...bench.host, readLog: (...args) => (broken ? unreadable.readLog() : readLog(...args)) };
    const failure = bench.failure({});
    await bench.asked(2);
    broken = true;
    release();
    expect(await failure).toMatchObject({ code: "OUTCOME_UNKNOWN" });
  });
});

test("a log that is emptied in the middle still gives the end", async () => {
  await open();
  const run = bench.run({});
  await bench.asked(2);
  await until(() => bench.progress[1], { what: "the second step is seen" });
  bench.client.log.truncate();
  release();
  expect(await run).toMatchObject({ state: "completed", evidence: { steps: 2 } });
});

test("a log that is rotated in the middle still gives the end", async () => {
  await open();
  const run = bench.run({});
  await bench.asked(2);
  await until(() => bench.progress[1], { what: "the second step is seen" });
  bench.client.log.rotate();
  release();
  expect(await run).toMatchObject({ state: "completed" });
});

test("a client that is started anew in the middle leaves the outcome unknown", async () => {
  await open();
  const failure = bench.failure({});
  await bench.asked(2);
  await bench.client.restart();
  expect(await failure).toMatchObject({
    code: "OUTCOME_UNKNOWN",
    message: expect.stringContaining("started anew while the run was on"),
  });
});

test("a client that is gone is missed after a minute without a sign of life", async () => {
  await open();
  const failure = bench.failure({});
  await bench.asked(2);
  await until(() => bench.progress[1], { what: "the second step is seen" });
  const goneMs = bench.clock.now();
  await bench.client.stop();
  expect(await failure).toMatchObject({
    code: "OUTCOME_UNKNOWN",
    message: expect.stringContaining("for a minute neither"),
  });
  expect(bench.clock.now() - goneMs).toBeGreaterThanOrEqual(60_000);
  await bench.client.restart();
});

test("where nobody listens nothing is begun, and the job is tried again", async () => {
  await open();
  await bench.client.stop();
  expect(await bench.failure({})).toMatchObject({ code: "HOST_UNREACHABLE", again: true });
  await bench.client.restart();
});

test("something else at the client's address is named", async () => {
  await open();
  bench.client.faults.push({ on: "GET /run_task", kind: htmlError(404) });
  expect(await bench.failure({})).toMatchObject({
    code: "ALOHA_FAILED",
    message: expect.stringContaining("is not Aloha's client: it answers 404"),
  });
});

describe("a run that is stopped", () => {
  test("by somebody else is cancelled as stopped", async () => {
    await open();
    const failure = bench.failure({});
    await bench.asked(2);
    await fetch(`${bench.client.url}/stop`, { method: "POST" });
    release();
    expect(await failure).toMatchObject({ code: "STOPPED_OUTSIDE", again: false });
    expect(bench.record).toMatchObject({ state: "stopped" });
  });

  test.each([
    ["cancelled", "CANCELLED"],
    ["timeout", "TIMEOUT"],
  ])("because the job is (%s) is over when the job is", async (reason, code) => {
    await open();
    const stop = new AbortController();
    const failure = bench.failure({}, stop.signal);
    await bench.asked(2);
    stop.abort(reason);
    await until(() => bench.stops > 1 || undefined, { what: "it is told to stop, again" });
    release();
    expect(await failure).toMatchObject({ code, remote_state: "stopped" });
    expect(bench.client.busy).toBe(false);
    expect(bench.record).toMatchObject({ state: reason, remote_state: "stopped", evidence: { finished: true } });
  });

  test("while its model thinks may still be running after the grace", async () => {
    await open();
    const stop = new AbortController();
    const failure = bench.failure({}, stop.signal);
    await bench.asked(2);
    stop.abort("cancelled");
    await until(() => bench.stops > 0 || undefined, { what: "it is told to stop" });
    bench.clock.pass(5_000);
    expect(await failure).toMatchObject({ code: "CANCELLED", remote_state: "unknown" });
    expect(bench.record).toMatchObject({ remote_state: "unknown" });
    expect(bench.client.busy).toBe(true);
  });

  test("before its thread has begun is told again, because Aloha forgets the first", async () => {
    const begun = Promise.withResolvers<void>();
    const stop = new AbortController();
    await open({
      threadStart: () => {
        stop.abort("cancelled");
        return begun.promise;
      },
    });
    const { client } = bench.host;
    const answers: string[] = [];
    const stopped: typeof client.stop = async (signal) => {
      answers.push(await client.stop(signal));
      begun.resolve();
      return answers.at(-1) as "idle";
    };
    bench.host = { ...bench.host, client: { ...client, stop: stopped } };
    const failure = bench.failure({}, stop.signal);
    await bench.asked(1);
    await until(() => bench.stops > 1 || undefined, { what: "it is told again" });
    release();
    expect(await failure).toMatchObject({ code: "CANCELLED", remote_state: "stopped" });
    expect(answers.slice(0, 2)).toEqual(["idle", "signalled"]);
  });

  test("too late is completed", async () => {
    await open({ from: 9 });
    const stop = new AbortController();
    const { readLog } = bench;
    // The cancel comes when the run is over and nobody has read it yet.
    bench.host = {
      ...bench.host,
      readLog: async (...args) => {
        if (bench.starts > 0) {
          await bench.idle();
          stop.abort("cancelled");
        }
        return readLog(...args);
      },
    };
    expect(await bench.run({}, stop.signal)).toMatchObject({ state: "completed" });
    expect(bench.stops).toBe(0);
  });
});

describe("a worker that ends", () => {
  test.each(["stopping", "lease_lost"])("(%s) leaves the run alone, and the next one follows it", async (reason) => {
    await open();
    const stop = new AbortController();
    const failure = bench.failure({}, stop.signal);
    await bench.asked(2);
    stop.abort(reason);
    expect(await failure).toMatchObject({ code: reason === "stopping" ? "CANCELLED" : "LEASE_LOST" });
    expect([bench.stops, bench.client.busy]).toEqual([0, true]);
    const adopted = bench.adopt({});
    release();
    expect(await adopted).toMatchObject({ kind: "result", result: { state: "completed", evidence: { steps: 2 } } });
    expect(bench.starts).toBe(1);
    expect(bench.record).toMatchObject({ state: "completed" });
    expect(bench.kept("log.txt").match(/thread started/g)?.length).toBe(1);
  });

  /** The record is there, and the worker died before or after the start. */
  async function dead({ sent }: { readonly sent: boolean }): Promise<void> {
    const stop = new AbortController();
    if (!sent) bench.client.faults.push(onStart("silent"));
    const failure = bench.failure({}, stop.signal);
    await until(() => bench.starts > 0 || undefined, { what: "the start has arrived" });
    if (sent) await bench.asked(2);
    stop.abort("lease_lost");
    await failure;
  }

  test("before the start lets the next one begin", async () => {
    await open({ from: 9 });
    await dead({ sent: false });
    expect(await bench.adopt({})).toEqual({ kind: "not-begun" });
  });

  test("leaves a run that ended meanwhile to be read by the next one", async () => {
    await open();
    await dead({ sent: true });
    release();
    await bench.idle();
    expect(await bench.adopt({})).toMatchObject({ kind: "result", result: { state: "completed" } });
  });

  test("and a log that is gone meanwhile leave the outcome to the crash rule", async () => {
    await open();
    await dead({ sent: true });
    release();
    await bench.idle();
    bench.client.log.truncate();
    expect(await bench.adopt({})).toMatchObject({ kind: "unknown" });
    expect(bench.starts).toBe(1);
  });

  test("before the start, and a cancel, leave somebody else's run alone", async () => {
    await open();
    await dead({ sent: false });
    const body = JSON.stringify({ task: "other", server_url: bench.host.actionUrl, max_steps: 9 });
    const headers = { "content-type": "application/json" };
    await fetch(`${bench.client.url}/run_task`, { method: "POST", headers, body });
    await bench.asked(2);
    expect(await failureOf(bench.adopt({}, AbortSignal.abort("cancelled")))).toMatchObject({ code: "CANCELLED" });
    expect([bench.stops, bench.client.busy]).toEqual([0, true]);
    release();
  });

  test("leaves a run that the next one stops when the job was cancelled meanwhile", async () => {
    await open();
    await dead({ sent: true });
    const adopted = failureOf(bench.adopt({}, AbortSignal.abort("cancelled")));
    await until(() => bench.stops > 0 || undefined, { what: "it is told to stop" });
    release();
    expect(await adopted).toMatchObject({ code: "CANCELLED", remote_state: "stopped" });
  });
});
