import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Accepted } from "../../backend/acceptance.ts";
import type { JobRequest } from "../../backend/submit.ts";
import { pause } from "../../clock.ts";
import { loadConfig } from "../../config/load.ts";
import { Connection } from "../../database/connection.ts";
import type { Actor } from "../../policy/actor.ts";
import { composeWindlass, type Windlass } from "../../windlass.ts";
import { Board } from "./board.ts";
import { countSheep, fillForm } from "./demo-jobs.ts";
import { judge, type Promised, type Verdict } from "./oracle.ts";

/** Where the demonstration writes and who it is for. */
export interface DemoOptions {
  /** `undefined`: the report alone. */
  readonly out: NodeJS.WriteStream | undefined;
  readonly colour: boolean;
}

/** What came of a demonstration. */
export interface DemoReport {
  /** Holds the evidence. */
  readonly folder: string;
  readonly verdicts: readonly Verdict[];
}

const ACTOR: Actor = { kind: "unattended", name: "demo", via: "cli" };
const SHEEP = 24;
const FORMS = 9;
const PROGRAMS = 4;
const REQUESTS = 4;
const DEADLINE_MS = 60_000;

/**
 * Real jobs on a fresh database, a worker killed in the middle, another that finishes, and an oracle that checks what came
 * of it against what the jobs themselves wrote down.
 *
 * @returns what the oracle found.
 */
export async function runDemo({ out, colour }: DemoOptions): Promise<DemoReport> {
  const folder = mkdtempSync(join(tmpdir(), "windlass-demo-"));
  const ledger = join(folder, "ledger.ndjson");
  using site = await startSite();
  const env = {
    WINDLASS_DB: join(folder, "windlass.db"),
    WINDLASS_ARTIFACT_OUT: join(folder, "artifacts"),
    WINDLASS_HTTP_REQUEST_ALLOW: "127.0.0.1",
    WINDLASS_WORKER_LEASE: "3s",
  };
  const { config } = await loadConfig({ env, cwd: folder, home: folder });
  await using windlass = await composeWindlass({
    config,
    mode: "migrate",
    types: [countSheep, fillForm],
    environment: {},
  });
  using board = new Board(windlass, out, colour);

  board.say(
    `1  ${SHEEP + FORMS + PROGRAMS + REQUESTS} jobs: sheep to count (some lose count once), forms (one at a time per desk), programs, requests`,
  );
  const promised = await enqueueAll(windlass, { ledger, url: site.url });
  board.say(`   each was on the disk before its id came back: ${folder}/windlass.db`);
  using first = startWorker({ ...process.env, ...env }, folder, 1);
  board.say(`2  a worker takes them (pid ${first.pid})`);
  await untilBusy(windlass, ledger, first);
  board.say(`3  kill -9 ${first.pid}, in the middle of ${await runningNow(windlass)} jobs, programs among them`);
  first.process.kill("SIGKILL");
  const killedAt = performance.now();
  using second = startWorker({ ...process.env, ...env }, folder, 2);
  board.say(`4  another worker (pid ${second.pid}) takes over; programs that still run are adopted, not started again`);
  for (const { jobId } of promised) await windlass.backend.settled(jobId, { withinMs: DEADLINE_MS });
  board.finish(`   all ended ${((performance.now() - killedAt) / 1_000).toFixed(1)} s after the kill`);
  second.process.kill("SIGTERM");
  await second.ended;
  // Awaited here: what `using` holds is closed when this function is left.
  return await report(board, windlass, { promised, ledger, folder });
}

async function report(
  board: Board,
  windlass: Windlass,
  { promised, ledger, folder }: { promised: readonly Promised[]; ledger: string; folder: string },
): Promise<DemoReport> {
  const db = Connection.open(windlass.config.database.path, { readOnly: true });
  const verdicts = await judge({ promised, ledger, backend: windlass.backend, db });
  db.close();
  const reclaimed = await Promise.all(
    promised.map(
      async ({ jobId }) =>
        (await windlass.backend.history(jobId)).filter(({ event }) => event === "lease.reclaimed").length,
    ),
  );
  board.say(`5  the oracle: ${reclaimed.reduce((sum, n) => sum + n, 0)} jobs were taken from the dead worker`);
  for (const { name, checked, problems } of verdicts) {
    board.verdict(problems.length === 0, `${name} (${checked})`);
    for (const problem of problems.slice(0, 5)) board.say(`        ${problem}`);
  }
  const program = promised.find(({ kind }) => kind === "program");
  board.say(`\nThe evidence is in ${folder}; look at it with`);
  board.say(`  npx windlass jobs list --db ${folder}/windlass.db`);
  board.say(`  npx windlass jobs logs ${program?.jobId ?? ""} --db ${folder}/windlass.db`);
  return { folder, verdicts };
}

async function enqueueAll(
  { submit }: Windlass,
  { ledger, url }: { ledger: string; url: string },
): Promise<readonly Promised[]> {
  const sheep = numbered(SHEEP, (n) =>
    own("sheep", n, {
      type: countSheep.name,
      input: { ledger, item: `sheep-${n}`, work_ms: 100 + 40 * (n % 5), fails: n % 6 === 0 ? 1 : 0 },
    }),
  );
  const forms = numbered(FORMS, (n) =>
    own("form", n, { type: fillForm.name, input: { ledger, item: `form-${n}`, work_ms: 150, desk: `desk-${n % 3}` } }),
  );
  const programs = numbered(PROGRAMS, (n) => program(n, ledger));
  const requests = numbered(REQUESTS, (n) => ({
    promised: { item: `request-${n}`, kind: "request" as const },
    request: ask("http.request", { method: "GET", url: `${url}/${n}` }),
  }));
  const all = [...programs, ...forms, ...sheep, ...requests];
  const accepted: readonly Accepted[] = await submit.submit(all.map(({ request }) => request));
  return all.map(({ promised }, index) => ({ ...promised, jobId: accepted[index]?.jobId ?? "" }));
}

interface Planned {
  readonly promised: Omit<Promised, "jobId">;
  readonly request: JobRequest;
}

function own(kind: string, n: number, { type, input }: { type: string; input: unknown }): Planned {
  return { promised: { item: `${kind}-${n}`, kind: "own" }, request: ask(type, input) };
}

/** A program that says that it began, prints a line now and then, and takes longer than its first worker lives. */
function program(n: number, ledger: string): Planned {
  const item = `program-${n}`;
  const script = 'echo "$1" >> "$2"; for i in 1 2 3 4 5 6 7 8; do echo "$1 line $i"; sleep 0.4; done';
  const stdout = Array.from({ length: 8 }, (_, index) => `${item} line ${index + 1}\n`).join("");
  return {
    promised: { item, kind: "program", stdout },
    request: ask("exec", { argv: ["/bin/sh", "-c", script, "demo", item, `${ledger}.programs`] }),
  };
}

function ask(type: string, input: unknown): JobRequest {
  return { type, input, options: {}, actor: ACTOR };
}

function numbered<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index + 1));
}

/** Until every program has begun and some of the rest is done: the worst moment to die. */
async function untilBusy({ backend, clock }: Windlass, ledger: string, worker: Spawned): Promise<void> {
  const begun = (): number =>
    existsSync(`${ledger}.programs`) ? readFileSync(`${ledger}.programs`, "utf8").split("\n").length - 1 : 0;
  const endMono = clock.monotonic() + DEADLINE_MS;
  while (clock.monotonic() < endMono && worker.process.exitCode === null) {
    const completed = (await backend.stats()).counts
      .filter(({ state }) => state === "completed")
      .reduce((sum, { count }) => sum + count, 0);
    if (begun() === PROGRAMS && completed >= 3) return;
    await pause(clock, 20);
  }
}

async function runningNow({ backend }: Windlass): Promise<number> {
  return (await backend.stats()).counts
    .filter(({ state }) => state === "running")
    .reduce((sum, { count }) => sum + count, 0);
}

interface Spawned extends Disposable {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<unknown>;
}

function startWorker(env: NodeJS.ProcessEnv, folder: string, n: number): Spawned {
  const log = openSync(join(folder, `worker-${n}.log`), "a", 0o600);
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const bin = fileURLToPath(new URL(`../../bin${ending}`, import.meta.url));
  const jobs = fileURLToPath(new URL(`./demo-jobs${ending}`, import.meta.url));
  const child = spawn(process.execPath, [bin, "worker", "--jobs", jobs, "--concurrency", "8"], {
    env,
    stdio: ["ignore", "ignore", log],
  });
  closeSync(log);
  return {
    process: child,
    pid: child.pid ?? 0,
    ended: once(child, "exit"),
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}

/** A site of our own on the loopback to send requests to. */
async function startSite(): Promise<Disposable & { readonly url: string }> {
  const server = createServer((request, response) => response.end(`hello from ${request.url}\n`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => void server.close(),
  };
}
