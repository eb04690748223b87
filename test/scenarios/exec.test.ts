import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { keptPath } from "../../src/artifact/attempt-folder.ts";
import type { Flags } from "../../src/config/load.ts";
import { type Bench, EMBEDDED, type Open, SHORT_LEASE, testOn } from "../support/test.ts";
import { until } from "../support/until.ts";

const test = testOn(EMBEDDED);
const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };

/** Says that it runs, waits to be let go (a TERM does not end it when it is told so), says that it ends. */
const SCRIPT = `
cd "$1"
[ "$3" = deaf ] && trap '' TERM
echo $$ >> started
echo one; echo err >&2
while [ ! -e go ]; do sleep 0.02; done
echo two
echo done >> ended
exit "$2"`;

interface Program {
  readonly bench: Bench;
  readonly id: string;
  /** The program's process id, once it runs. */
  readonly pid: () => Promise<number>;
  readonly letGo: () => void;
  /** How often it was started. */
  readonly starts: () => number;
  readonly stdout: () => Promise<string>;
}

async function startProgram(
  open: Open,
  {
    code = 0,
    deaf = false,
    input = {},
    options = {},
    config = {},
  }: { code?: number; deaf?: boolean; input?: object; options?: object; config?: Flags } = {},
): Promise<Program & { readonly worker: Awaited<ReturnType<Bench["spawn"]>> }> {
  const bench = await open({ types: [{ name: "app.work" }], environment, config });
  const worker = await bench.spawn({ graceMs: 0 }, environment);
  const argv = ["/bin/sh", "-c", SCRIPT, "sh", bench.folder, String(code), deaf ? "deaf" : ""];
  const id = await bench.submit("exec", { argv, ...input }, options);
  const started = join(bench.folder, "started");
  const lines = (): string[] => (existsSync(started) ? readFileSync(started, "utf8").split("\n").slice(0, -1) : []);
  return {
    bench,
    worker,
    id,
    pid: async () => Number(await until(() => lines()[0], { what: "the program runs", folder: bench.folder })),
    letGo: () => appendFileSync(join(bench.folder, "go"), ""),
    starts: () => lines().length,
    stdout: async () => {
      const { root = "", folder = "" } = (await bench.backend.artifacts.manifest(id)) ?? {};
      // The manifest counts at once; the move follows it.
      const [path = ""] = [folder, keptPath(id, 1)]
        .map((each) => join(root, each, "exec/stdout.txt"))
        .filter((each) => existsSync(each));
      return readFileSync(path, "utf8");
    },
  };
}

/** A zombie has ended; only nobody has asked for its code yet. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test.concurrent("a program outlives its killed worker: the next one adopts it, output and exit code exact, run once", async ({
  open,
}) => {
  const { bench, worker, id, pid, letGo, starts, stdout } = await startProgram(open, { code: 7 });
  const program = await pid();
  await worker.kill();
  expect(isAlive(program)).toBe(true);
  const next = await bench.worker();
  await until(() => (next.events.some(({ kind }) => kind === "claimed") ? true : undefined), { what: "an adoption" });
  letGo();
  expect(await bench.settled(id)).toMatchObject({
    state: "failed",
    attempt: 2,
    error: { code: "EXIT_NONZERO", details: { exit_code: 7, signal: null, stdout_bytes: 8, stderr_bytes: 4 } },
  });
  const events = (await bench.backend.history(id)).map(({ event }) => event);
  expect(events).toEqual(["job.queued", "lease.reclaimed", "job.claimed", "attempt.adopted", "job.failed"]);
  expect(await stdout()).toBe("one\ntwo\n");
  expect(starts()).toBe(1);
  expect(isAlive(program)).toBe(false);
});

test.concurrent("a program that ended while nobody was there has its exit code taken, whoever comes later", async ({
  open,
}) => {
  const { bench, worker, id, pid, letGo, starts, stdout } = await startProgram(open);
  const program = await pid();
  await worker.kill();
  letGo();
  await until(() => (isAlive(program) ? undefined : true), { what: "the program ends" });
  await bench.worker();
  expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2, result: { exit_code: 0 } });
  expect(await stdout()).toBe("one\ntwo\n");
  expect(starts()).toBe(1);
});

test.concurrent("a worker that is told to stop leaves its program to the next, and nobody is charged", async ({
  open,
}) => {
  const { bench, worker, id, pid, letGo, starts } = await startProgram(open);
  const program = await pid();
  worker.send("SIGTERM");
  expect(await worker.exit()).toEqual({ code: 0, signal: null });
  expect(isAlive(program)).toBe(true);
  await bench.worker();
  letGo();
  expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2, crashes: 0, failures: 0 });
  expect(starts()).toBe(1);
});

test.concurrent("an adopted program can be cancelled, also one that does not listen to TERM", async ({ open }) => {
  const { bench, worker, id, pid } = await startProgram(open, { deaf: true });
  const program = await pid();
  await worker.kill();
  const next = await bench.worker();
  await until(() => (next.events.some(({ kind }) => kind === "claimed") ? true : undefined), { what: "an adoption" });
  expect(await bench.cancel(id)).toEqual({ kind: "requested" });
  expect((await bench.settled(id)).state).toBe("cancelled");
  expect(isAlive(program)).toBe(false);
});

test.concurrent("a cancel while no worker has the job waits for the one that ends its program", async ({ open }) => {
  const { bench, worker, id, pid } = await startProgram(open);
  const program = await pid();
  await worker.kill();
  expect(await bench.cancel(id)).toEqual({ kind: "requested" });
  expect(isAlive(program)).toBe(true);
  await bench.worker();
  expect((await bench.settled(id)).state).toBe("cancelled");
  expect(isAlive(program)).toBe(false);
});

test.concurrent("an adopted program has its timeout, counted from its own start", async ({ open }) => {
  const { bench, worker, id, pid } = await startProgram(open, { options: { timeout: "1s" } });
  const program = await pid();
  await worker.kill();
  await bench.worker();
  expect(await bench.settled(id)).toMatchObject({
    state: "failed",
    error: { code: "TIMEOUT", details: { exit_code: null, signal: "SIGTERM" } },
  });
  expect(isAlive(program)).toBe(false);
});

test.concurrent("a deadline that passes while nobody is there ends the program before the job", async ({ open }) => {
  const { bench, worker, id, pid } = await startProgram(open, { options: { deadline: "3s" } });
  const program = await pid();
  const dueMs = (await bench.status(id)).queuedAtMs + 3_000;
  await worker.kill();
  await until(() => (Date.now() > dueMs ? true : undefined), { what: "the deadline passes" });
  await bench.worker();
  expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "DEADLINE_EXCEEDED" } });
  expect(isAlive(program)).toBe(false);
});

test.concurrent("a worker frozen beyond its lease lets its program go to the one that adopted it", async ({ open }) => {
  const { bench, worker, id, pid, letGo, starts, stdout } = await startProgram(open, { config: SHORT_LEASE });
  const program = await pid();
  await bench.freeze(worker);
  const next = await bench.worker();
  await until(() => (next.events.some(({ kind }) => kind === "claimed") ? true : undefined), { what: "an adoption" });
  worker.thaw();
  expect(isAlive(program)).toBe(true);
  letGo();
  expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2, crashes: 0 });
  expect(await stdout()).toBe("one\ntwo\n");
  expect(starts()).toBe(1);
});

test.concurrent("a program beside a handler that blocks its worker is adopted, and its job not charged", async ({
  open,
}) => {
  const bench = await open({ types: [{ name: "app.stuck", timeout: { default: "200ms" }, retries: 0 }], environment });
  const worker = await bench.spawn({}, environment);
  const argv = ["/bin/sh", "-c", SCRIPT, "sh", bench.folder, "0", ""];
  // Its own timeout passes too while the loop is blocked.
  const id = await bench.submit("exec", { argv }, { timeout: "30s" });
  await until(() => (existsSync(join(bench.folder, "started")) ? true : undefined), {
    what: "the program runs",
    folder: bench.folder,
  });
  const stuck = await bench.submit("app.stuck", { name: "stuck", spins: true });
  await worker.exit();
  await bench.worker();
  appendFileSync(join(bench.folder, "go"), "");
  expect(await bench.settled(id)).toMatchObject({ state: "completed", crashes: 0, failures: 0 });
  expect(await bench.settled(stuck)).toMatchObject({ error: { code: "TIMEOUT" } });
  expect(readFileSync(join(bench.folder, "started"), "utf8").split("\n").length - 1).toBe(1);
});

test.concurrent("a program whose own time is up while its worker is blocked is ended by the next", async ({ open }) => {
  const bench = await open({ types: [{ name: "app.stuck", timeout: { default: "600ms" }, retries: 0 }], environment });
  const worker = await bench.spawn({}, environment);
  const argv = ["/bin/sh", "-c", SCRIPT, "sh", bench.folder, "0", ""];
  const id = await bench.submit("exec", { argv }, { timeout: "700ms" });
  const started = join(bench.folder, "started");
  await until(() => (existsSync(started) ? true : undefined), { what: "the program runs", folder: bench.folder });
  await bench.submit("app.stuck", { name: "stuck", spins: true });
  await worker.exit();
  const program = Number(readFileSync(started, "utf8"));
  await bench.worker();
  expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "TIMEOUT" } });
  expect(isAlive(program)).toBe(false);
});
