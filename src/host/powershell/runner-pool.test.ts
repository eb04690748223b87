import { afterAll, beforeAll, expect, test } from "vitest";
import { TestClock } from "../../../test/support/clock.ts";
import { type LocalMachine, openMachine } from "../../../test/support/windows-simulator/powershell/local-transport.ts";
import { systemClock } from "../../clock.ts";
import type { PowerShellRunner } from "./runner.ts";
import { RunnerPool } from "./runner-pool.ts";

const never = { signal: new AbortController().signal };
const HOST = { name: "default", maxParallel: 2 };

let machine: LocalMachine;
beforeAll(() => {
  machine = openMachine({ pwsh: undefined });
});
afterAll(() => machine[Symbol.asyncDispose]());

const open = (clock = systemClock, idleMs = 60_000) => new RunnerPool(() => machine, { clock, idleMs });
const runTrue = (runner: PowerShellRunner) => runner.run({ argv: ["true"] }, { ...never, timeoutMs: 20_000 });

test("a runner is used again; a host's runners are its own", async () => {
  await using pool = open();
  const use = (name: string) => pool.use({ ...HOST, name }, never, async ({ pid }) => pid);
  const first = await use("a");
  expect(await use("a")).toBe(first);
  expect(await use("b")).not.toBe(first);
});

test("no more are in use at once than the host allows, and who asked first is served first", async () => {
  await using pool = open();
  const order: number[] = [];
  let inUse = 0;
  let most = 0;
  const two = Promise.withResolvers<void>();
  const jobs = [0, 1, 2, 3, 4, 5].map((number) =>
    pool.use(HOST, never, async (runner) => {
      order.push(number);
      most = Math.max(most, ++inUse);
      if (inUse === 2) two.resolve();
      await two.promise;
      await runTrue(runner);
      inUse--;
    }),
  );
  await Promise.all(jobs);
  expect(most).toBe(2);
  expect(order.slice().sort()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(order.slice(2)).toEqual([2, 3, 4, 5]);
});

test("who stops waiting leaves its place in the queue to the next", async () => {
  await using pool = open();
  const host = { ...HOST, maxParallel: 1 };
  const release = Promise.withResolvers<void>();
  const held = pool.use(host, never, () => release.promise);
  const stop = new AbortController();
  const gone = pool.use(host, { signal: stop.signal }, runTrue);
  const next = pool.use(host, never, runTrue);
  stop.abort(new Error("enough"));
  await expect(gone).rejects.toThrow("enough");
  release.resolve();
  await held;
  expect(await next).toMatchObject({ kind: "exited", code: 0 });
});

test("a runner that a command has spoilt is not used again", async () => {
  await using pool = open();
  const spoilt = await pool.use(HOST, never, async (runner) => {
    await runner.run({ argv: ["sh", "-c", "sleep 60 & true"] }, { ...never, timeoutMs: 20_000 });
    return runner;
  });
  expect(spoilt.isUsable).toBe(false);
  expect(await pool.use(HOST, never, async (runner) => runner === spoilt)).toBe(false);
});

test("a place is free again when the work throws or no runner can be started", async () => {
  let isUp = false;
  await using pool = new RunnerPool(() => (isUp ? machine : Promise.reject(new Error("down"))), { clock: systemClock });
  const host = { ...HOST, maxParallel: 1 };
  await expect(pool.use(host, never, runTrue)).rejects.toThrow("down");
  isUp = true;
  await expect(pool.use(host, never, () => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  expect(await pool.use(host, never, runTrue)).toMatchObject({ kind: "exited" });
});

test("a runner that nobody uses is ended", async () => {
  const clock = new TestClock();
  await using pool = open(clock, 1_000);
  const idle = await pool.use(HOST, never, async (runner) => runner);
  await clock.advance(999);
  expect(idle.isUsable).toBe(true);
  await clock.advance(1);
  expect(idle.isUsable).toBe(false);
  expect(await pool.use(HOST, never, async (runner) => runner === idle)).toBe(false);
});

test("closing lets who works end, turns away who waits and ends every runner", async () => {
  const pool = open();
  const host = { ...HOST, maxParallel: 1 };
  const started = Promise.withResolvers<void>();
  let used: PowerShellRunner | undefined;
  const working = pool.use(host, never, async (runner) => {
    used = runner;
    started.resolve();
    return runTrue(runner);
  });
  const waiting = pool.use(host, never, runTrue);
  const refused = expect(waiting).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
  await started.promise;
  await pool[Symbol.asyncDispose]();
  expect(await working).toMatchObject({ kind: "exited" });
  await refused;
  expect(used?.isUsable).toBe(false);
  await expect(pool.use(host, never, runTrue)).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
});
