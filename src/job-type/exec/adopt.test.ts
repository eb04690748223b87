import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Adoption, Effect, EffectContext } from "../../attempt/handlers.ts";
import { systemClock } from "../../clock.ts";
import { type AppError, isAppError } from "../../error.ts";
import { machineIdentity } from "../../host/local/machine.ts";
import { procTable } from "../../host/local/process-table.ts";
import { type ExecInput, exec } from "./exec.ts";
import { execHandlers } from "./handler.ts";

/** A worker: runs one job, says what it recorded, and waits there when it is told to. */
const WORKER = `
import { systemClock } from ${JSON.stringify(new URL("../../clock.ts", import.meta.url).href)};
import { machineIdentity } from ${JSON.stringify(new URL("../../host/local/machine.ts", import.meta.url).href)};
import { execHandlers } from ${JSON.stringify(new URL("./handler.ts", import.meta.url).href)};
const { input, folder, stalls } = JSON.parse(process.argv[1]);
const environment = { PATH: process.env.PATH };
const handlers = execHandlers({ clock: systemClock, machine: machineIdentity(), environment, killGraceMs: 5000, keptBytes: 1e9, tickMs: 50 });
await handlers.run(input, {
  folder,
  signal: new AbortController().signal,
  async maskFile() {},
  async recordEffect(effect) {
    await new Promise((resolve) => process.stdout.write(JSON.stringify(effect) + "\\n", resolve));
    if (stalls) await new Promise((resolve) => process.stdin.once("data", resolve));
  },
});
`;

let folder = "";
let workers: ChildProcess[] = [];
let effects: Effect[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "adopt-"));
  workers = [];
  effects = [];
});
afterEach(async () => {
  for (const worker of workers) worker.kill("SIGKILL");
  const left = effects.flatMap(({ facts }) => procTable.members(Number(facts["pid"])));
  expect(left).toEqual([]);
  await rm(folder, { recursive: true });
});

const sh = (script: string, ...args: readonly string[]): string[] => ["sh", "-c", script, "sh", ...args];
const stdout = (): string => {
  const path = join(folder, "exec/stdout.txt");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};
const exitCode = (): string => readFileSync(join(folder, "exec/exit_code.txt"), "utf8");

async function until(fact: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!fact()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${fact}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

type Given = Partial<ExecInput> & Pick<ExecInput, "argv">;

interface Started {
  readonly effect: Effect;
  readonly worker: ChildProcess;
  /** Kills the worker with SIGKILL. */
  kill(): Promise<void>;
}

/** Lets another process start a program. */
async function startWorker(input: Given, { stalls = false } = {}): Promise<Started> {
  const args = [
    "--input-type=module",
    "-e",
    WORKER,
    JSON.stringify({ input: exec.input.parse(input), folder, stalls }),
  ];
  const worker = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  workers.push(worker);
  const [line] = (await once(worker.stdout, "data")) as [Buffer];
  const effect = JSON.parse(line.toString()) as Effect;
  effects.push(effect);
  return {
    effect,
    worker,
    async kill() {
      worker.kill("SIGKILL");
      await once(worker, "exit");
    },
  };
}

/** Starts a program, waits until it has printed `ready`, and kills its worker. */
async function orphan(input: Given): Promise<Effect> {
  const { effect, kill } = await startWorker(input);
  await until(() => stdout().includes("ready\n"));
  await kill();
  return effect;
}

interface Setting {
  readonly signal?: AbortSignal;
  readonly killGraceMs?: number;
  readonly tickMs?: number;
}

async function adopt(
  input: Given,
  effect: Effect,
  { signal, killGraceMs = 5_000, tickMs = 50 }: Setting = {},
): Promise<Adoption> {
  const silent = (): void => {};
  const ctx = {
    folder,
    signal: signal ?? new AbortController().signal,
    log: { info: silent, warn: silent, error: silent },
    maskFile: async () => undefined,
    recordEffect: async (next: Effect) => void effects.push(next),
  } as unknown as EffectContext;
  const handlers = execHandlers({
    clock: systemClock,
    machine: machineIdentity(),
    environment: { PATH: process.env["PATH"] ?? "" },
    killGraceMs,
    keptBytes: 1e9,
    tickMs,
  });
  const parsed = exec.input.parse(input) as never;
  const found = await handlers.adopt?.(parsed, effect, ctx);
  if (found === undefined) throw new Error("cannot adopt");
  // As an attempt does, when it may.
  return found.kind === "not-begun" ? { kind: "result", result: await handlers.run(parsed, ctx) } : found;
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!isAppError(error)) throw error;
  return error;
}

/** Prints `ready`, waits for the file, goes on. */
const waiting = (then: string): string[] =>
  sh(`echo ready; until [ -e "$1" ]; do sleep 0.005; done; ${then}`, join(folder, "go"));
const release = (): Promise<void> => writeFile(join(folder, "go"), "");
// A zombie has ended; whoever inherited it may take its time to ask.
const alive = ({ facts }: Effect): boolean => procTable.read(Number(facts["pid"]))?.ended === false;

test("a program outlives a SIGKILL of its worker; the next one stays with it and gets code and output exactly", async () => {
  const argv = waiting("cat; printf 'é\\n'; exit 0");
  const effect = await orphan({ argv, stdin: "from stdin\n" });
  const adopted = adopt({ argv }, effect);
  await release();
  expect(await adopted).toMatchObject({ kind: "result", result: { exit_code: 0, signal: null, stdout_bytes: 20 } });
  expect(stdout()).toBe("ready\nfrom stdin\né\n");
  expect(exitCode()).toBe("0\n");
});

test.each([
  ["exit 255", { exit_code: 255, signal: null }],
  ["exit 128", { exit_code: 128, signal: null }],
  ["kill -s TERM $$", { exit_code: null, signal: "SIGTERM" }],
  ["kill -s SEGV $$", { exit_code: null, signal: "SIGSEGV" }],
])("an adopted program's end is exact: %s", async (then, facts) => {
  const argv = waiting(then);
  const adopted = adopt({ argv }, await orphan({ argv }));
  await release();
  const error = await failure(adopted);
  expect(error.code).toBe("EXIT_NONZERO");
  expect(error.details).toMatchObject(facts);
});

test("a program that ended while no worker looked gives its recorded code and how long it ran", async () => {
  const argv = waiting("exit 3");
  const effect = await orphan({ argv });
  await release();
  await until(() => !alive(effect));
  const error = await failure(adopt({ argv }, effect));
  expect(error.details).toMatchObject({ exit_code: 3, signal: null });
  expect(error.details["duration_ms"]).toBeLessThan(10_000);
  expect(exitCode()).toBe("3\n");
});

test("an adopted program's end is seen at once, long before the next look at it", async () => {
  const argv = waiting("exit 0");
  const effect = await orphan({ argv });
  const adopted = adopt({ argv }, effect, { tickMs: 60_000 });
  await release();
  await until(() => !alive(effect));
  const endedAt = performance.now();
  await adopted;
  expect(performance.now() - endedAt).toBeLessThan(1_000);
});

test("a worker killed after it recorded the effect and before it said go: the program never ran, so it runs now, once", async () => {
  const argv = sh('echo ran >>"$1"; exit 5', join(folder, "runs"));
  const { effect, kill } = await startWorker({ argv }, { stalls: true });
  expect(alive(effect)).toBe(true);
  await kill();
  await until(() => !alive(effect));
  expect(existsSync(join(folder, "runs"))).toBe(false);
  expect((await failure(adopt({ argv }, effect))).details).toMatchObject({ exit_code: 5 });
  expect(readFileSync(join(folder, "runs"), "utf8")).toBe("ran\n");
  // The second program was recorded in its turn.
  expect(effects).toHaveLength(2);
  expect(effects[1]?.facts["nonce"]).not.toBe(effect.facts["nonce"]);
});

test("a worker that only stalled before it said go starts the program under the eyes of the next one", async () => {
  const argv = sh('echo ran >>"$1"', join(folder, "runs"));
  const { effect, worker } = await startWorker({ argv }, { stalls: true });
  const adopted = adopt({ argv }, effect);
  worker.stdin?.end("go on\n");
  expect(await adopted).toMatchObject({ kind: "result", result: { exit_code: 0 } });
  expect(readFileSync(join(folder, "runs"), "utf8")).toBe("ran\n");
  expect(effects).toHaveLength(1);
  await until(() => worker.exitCode === 0);
});

test("a worker that stalled before it said go and dies while the next one looks: the program runs then, once", async () => {
  const argv = sh('echo ran >>"$1"', join(folder, "runs"));
  const { effect, kill } = await startWorker({ argv }, { stalls: true });
  const adopted = adopt({ argv }, effect);
  await kill();
  expect(await adopted).toMatchObject({ kind: "result", result: { exit_code: 0 } });
  expect(readFileSync(join(folder, "runs"), "utf8")).toBe("ran\n");
});

test("a KILL of the whole group leaves nothing to know: found later it is unknown, seen it is the signal", async () => {
  const argv = waiting("exit 0");
  const effect = await orphan({ argv });
  const seen = adopt({ argv }, effect);
  process.kill(-Number(effect.facts["pid"]), "SIGKILL");
  expect((await failure(seen)).details).toMatchObject({ exit_code: null, signal: "SIGKILL" });
  const found = await adopt({ argv }, effect);
  expect(found).toEqual({ kind: "unknown", reason: expect.stringContaining("KILL") });
});

test("a process that has the number of a program that is gone is not taken for it, and not killed", async () => {
  const argv = waiting("exit 0");
  const effect = await orphan({ argv });
  const changed = (facts: Record<string, unknown>): Effect => ({ ...effect, facts: { ...effect.facts, ...facts } });
  const stop = new AbortController();
  stop.abort("cancelled");
  for (const other of [changed({ start_time: "1" }), changed({ nonce: "another" })]) {
    expect(await adopt({ argv }, other, { signal: stop.signal })).toMatchObject({ kind: "unknown" });
  }
  const { boot: _, ...machine } = effect.machine;
  const restarted = { machine: { ...machine, boot: "before" }, facts: { ...effect.facts, start_time: "1" } };
  expect(await adopt({ argv }, restarted)).toEqual({ kind: "unknown", reason: expect.stringContaining("restarted") });
  expect(await adopt({ argv }, changed({ pid: "x" }))).toMatchObject({ kind: "unknown" });
  expect(alive(effect)).toBe(true);
  const adopted = adopt({ argv }, effect);
  await release();
  expect(await adopted).toMatchObject({ kind: "result" });
});

test("orphan: kill ends the program instead of adopting it, but takes a code that is there", async () => {
  const argv = sh('trap "exit 9" TERM; echo ready; while :; do sleep 0.005; done');
  const effect = await orphan({ argv, orphan: "kill" });
  expect(await adopt({ argv, orphan: "kill" }, effect)).toEqual({
    kind: "unknown",
    reason: expect.stringContaining("orphan: kill"),
  });
  expect(alive(effect)).toBe(false);
  expect((await failure(adopt({ argv, orphan: "kill" }, effect))).details).toMatchObject({ exit_code: 9 });
});

test.each(["cancelled", "timeout"] as const)(
  "%s ends an adopted program as a whole, its TERM handler first",
  async (reason) => {
    const argv = sh(
      'trap "echo bye; exit 7" TERM; (trap "" TERM; sleep 60) & echo ready; while :; do sleep 0.005; done',
    );
    const effect = await orphan({ argv });
    const stop = new AbortController();
    const adopted = adopt({ argv }, effect, { signal: stop.signal, killGraceMs: 200 });
    stop.abort(reason);
    const error = await failure(adopted);
    expect(error.code).toBe(reason === "timeout" ? "TIMEOUT" : "CANCELLED");
    expect(error.details).toEqual({ exit_code: 7, signal: null });
    expect(stdout()).toBe("ready\nbye\n");
    expect(exitCode()).toBe("7\n");
  },
);

test("an adopted program can be let go and adopted again", async () => {
  const argv = waiting("exit 6");
  const effect = await orphan({ argv });
  const stop = new AbortController();
  const first = adopt({ argv }, effect, { signal: stop.signal });
  stop.abort("stopping");
  expect((await failure(first)).code).toBe("CANCELLED");
  const second = adopt({ argv }, effect);
  await release();
  expect((await failure(second)).details).toMatchObject({ exit_code: 6 });
});
