import { expect } from "vitest";
import type { JobStatus } from "../../src/backend/reading.ts";
import type { EffectLine } from "../support/effects.ts";
import { brokenInvariants } from "../support/invariants.ts";
import { KEY_LIMIT, kindOf, LOAD_TYPES, RATE_UNITS } from "../support/load.ts";
import type { WorkerProcess } from "../support/processes.ts";
import { seeded } from "../support/random.ts";
import { type Bench, EMBEDDED, SHORT_LEASE, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);
const KILLS = Number(process.env["KILLS"] ?? 50);
const SEED = Number(process.env["SEED"] ?? 20_261_121);
/** Every so many kills a worker is stopped beyond its lease first, and goes on for a moment. */
const KILLS_PER_FREEZE = 12;
const BEYOND_LEASE_MS = 1_300;

test(`${KILLS} SIGKILLs of workers and enqueuers under load lose nothing and record nothing twice`, {
  timeout: 30_000 + KILLS * 600,
}, async ({ open }) => {
  const bench = await open({ types: LOAD_TYPES, config: { ...SHORT_LEASE, "job.crashes_max": 100 } });
  const gone = new Map<number, number>();
  const everybody: WorkerProcess[] = [];
  let kills = 0;
  const place = async (n: number): Promise<void> => {
    const random = seeded(SEED + n);
    for (let life = 1; kills < KILLS; life++) {
      const works = n <= 2;
      const load = { prefix: `e${n}.${life}`, seed: SEED + 1_000 * n + life };
      const victim = bench.start(works ? { concurrency: 4 } : { load });
      everybody.push(victim);
      await victim.ready();
      // A random moment of its life, from the first milliseconds on.
      await pause(random() ** 2 * (works ? 150 : 300));
      if (works && random() < 2 / KILLS_PER_FREEZE) {
        await victim.freeze();
        await pause(BEYOND_LEASE_MS);
        victim.thaw();
        await pause(random() * 50);
      }
      await victim.kill();
      gone.set(victim.pid, Date.now());
      if (++kills % 15 === 0) expect(brokenInvariants(bench.databasePath)).toEqual([]);
    }
  };
  await Promise.all([1, 2, 3, 4].map(place));
  await drain(bench);

  const told = everybody.flatMap((each) => each.told);
  const acked = told.flatMap((line) => line.acked ?? []);
  expect(acked.length).toBeGreaterThan(KILLS);
  expect(told.filter(({ failed }) => failed !== undefined)).toEqual([]);
  const jobs = await everyJob(bench);
  expect(acked.filter((jobId) => !jobs.has(jobId))).toEqual([]);
  const cancelled = new Set(told.flatMap((line) => line.cancels ?? []));
  const lines = bench.effects.all();
  expect(wrongEnds(jobs, cancelled)).toEqual([]);
  expect(wrongEffects(jobs, lines)).toEqual([]);
  expect(recordedTwice(jobs, everybody)).toEqual([]);
  expect(madeTwice(jobs)).toEqual([]);
  expect(overLimit(lines, gone)).toEqual([]);
  expect(overRate(lines)).toEqual([]);
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs everything that is left to its end. */
async function drain(bench: Bench): Promise<void> {
  const worker = await bench.worker({ concurrency: 20 });
  for (;;) {
    const pages = await Promise.all(
      (["queued", "running", "scheduled"] as const).map((state) => bench.backend.list({ limit: 1, state })),
    );
    const [job] = pages.flatMap((page) => page.jobs);
    if (job === undefined) break;
    await bench.settled(job.jobId, 30_000);
  }
  await worker.stop({ graceMs: 5_000 });
}

async function everyJob(bench: Bench): Promise<ReadonlyMap<string, JobStatus>> {
  const jobs = new Map<string, JobStatus>();
  let cursor: string | null = null;
  do {
    const page = await bench.backend.list({ limit: 1_000, ...(cursor === null ? {} : { cursor }) });
    for (const { jobId } of page.jobs) jobs.set(jobId, await bench.status(jobId));
    cursor = page.cursor;
  } while (cursor !== null);
  return jobs;
}

const nameOf = ({ input }: JobStatus): string => (input as { name: string }).name;

/** Ends that a job of its kind cannot have come to. */
function wrongEnds(jobs: ReadonlyMap<string, JobStatus>, cancelled: ReadonlySet<string>): readonly string[] {
  const parents = new Set([...cancelled].map((jobId) => nameOf(jobs.get(jobId) as JobStatus)));
  return [...jobs.values()].flatMap((job) => {
    const name = nameOf(job);
    const kind = kindOf(name);
    const asked = cancelled.has(job.jobId) || (kind === "child" && parents.has(name.split(".").slice(0, -2).join(".")));
    const may = [
      "completed",
      ...(asked ? ["cancelled"] : []),
      ...(kind === "stop" ? ["failed OUTCOME_UNKNOWN"] : []),
      ...(kind === "expires" ? ["expired"] : []),
      // Its deadline may leave no time for a retry.
      ...(kind === "deadline" ? ["failed DEADLINE_EXCEEDED", "failed HANDLER_FAILED"] : []),
    ];
    const end = job.state === "failed" ? `failed ${job.error?.code}` : job.state;
    return may.includes(end) ? [] : [`${name} (${job.jobId}) is ${end}: ${JSON.stringify(job.error)}`];
  });
}

/** What handlers really did, against what is recorded of the newest run of each job. */
function wrongEffects(jobs: ReadonlyMap<string, JobStatus>, lines: readonly EffectLine[]): readonly string[] {
  const byRun = Map.groupBy(lines, ({ jobId, run }) => `${jobId} ${run}`);
  const wrong = [...jobs.values()].flatMap((job) => {
    const did = byRun.get(`${job.jobId} ${job.runNumber}`) ?? [];
    const count = (event: EffectLine["event"]): number => did.filter((line) => line.event === event).length;
    const faults: string[] = [];
    if (count("start") > job.attempt) faults.push(`was started ${count("start")} times in ${job.attempt} attempts`);
    if (job.state === "completed" && job.outcome !== "skipped" && count("end") === 0)
      faults.push("is completed and its handler never came to its end");
    return faults.map((fault) => `${nameOf(job)} (${job.jobId}) ${fault}`);
  });
  for (const [run, did] of byRun) {
    const kind = kindOf(did[0]?.name ?? "");
    const starts = did.filter(({ event }) => event === "start").length;
    const asked = did.filter(({ event }) => event === "check" || event === "failed").length;
    if (kind === "stop" && starts > 1) wrong.push(`${did[0]?.name} (${run}) was run blindly: ${starts} starts`);
    if ((kind === "check" || kind === "expires") && starts > 1 + asked)
      wrong.push(`${did[0]?.name} (${run}) was run without a check: ${starts} starts, ${asked} answers`);
  }
  return wrong;
}

/** A worker is told of one end for each run at most. */
function recordedTwice(jobs: ReadonlyMap<string, JobStatus>, everybody: readonly WorkerProcess[]): readonly string[] {
  const completed = new Map<string, number>();
  for (const { told } of everybody)
    for (const { event } of told)
      if (event?.kind === "completed") completed.set(event.jobId, (completed.get(event.jobId) ?? 0) + 1);
  return [...completed].flatMap(([jobId, times]) =>
    times > (jobs.get(jobId)?.runNumber ?? 0) ? [`${jobId} was completed ${times} times`] : [],
  );
}

/** A name is one job: a key and a place among its parent's children give the first one back. */
function madeTwice(jobs: ReadonlyMap<string, JobStatus>): readonly string[] {
  const byName = Map.groupBy([...jobs.values()], nameOf);
  const runs = new Map([...jobs.values()].map((job) => [nameOf(job), job.runNumber]));
  return [...byName].flatMap(([name, same]) => {
    // Each run of a parent has children of its own.
    const most = kindOf(name) === "child" ? (runs.get(name.split(".").slice(0, -2).join(".")) ?? 1) : 1;
    return same.length > most ? [`${name} is ${same.length} jobs`] : [];
  });
}

/** Starts that found a key's limit in use. A handler whose process was killed is over from then on. */
function overLimit(lines: readonly EffectLine[], gone: ReadonlyMap<number, number>): readonly string[] {
  const running = new Map<string, EffectLine>();
  return lines.flatMap((line) => {
    if (line.type !== "app.keyed" || line.key === undefined) return [];
    const name = `${line.jobId} ${line.run} ${line.attempt}`;
    if (line.event !== "start") {
      running.delete(name);
      return [];
    }
    for (const [other, { pid }] of running)
      if ((gone.get(pid) ?? Number.POSITIVE_INFINITY) <= line.atMs) running.delete(other);
    // A process that was stopped beyond its lease has lost it; what it goes on with is no holder any more.
    for (const [other, { jobId }] of running) if (jobId === line.jobId) running.delete(other);
    running.set(name, line);
    const same = [...running.values()].filter(({ key }) => key === line.key);
    return same.length > KEY_LIMIT ? [`${line.key}: ${same.map(({ name: job }) => job).join(", ")}`] : [];
  });
}

/** A handler starts a moment after its claim took the unit. */
const START_SPREAD_MS = 1_500;

function overRate(lines: readonly EffectLine[]): readonly string[] {
  const starts = lines.flatMap(({ type, event, atMs }) => (type === "app.limited" && event === "start" ? [atMs] : []));
  return starts.flatMap((from, first) => {
    const last = starts.at(-1) ?? from;
    const count = starts.length - first;
    const most = RATE_UNITS + ((last - from + START_SPREAD_MS) / 1_000) * RATE_UNITS;
    return count > most ? [`${count} starts in ${last - from} ms`] : [];
  });
}
