import { expect } from "vitest";
import type { EffectLine } from "../support/effects.ts";
import { brokenInvariants } from "../support/invariants.ts";
import type { WorkerProcess } from "../support/processes.ts";
import { seeded } from "../support/random.ts";
import { type Bench, EMBEDDED, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);
const KILLS = Number(process.env["KILLS"] ?? 50);
const KEY_LIMIT = 2;
const SEED = Number(process.env["SEED"] ?? 20_261_121);

test(`${KILLS} SIGKILLs of workers and enqueuers under load lose nothing and record nothing twice`, {
  timeout: 30_000 + KILLS * 600,
}, async ({ open }) => {
  const bench = await open({
    types: [
      {
        name: "app.keyed",
        concurrency: [{ key: "key", limit: KEY_LIMIT }],
        backoff: { first: "20ms", jitter: 0.5 },
      },
    ],
    config: { "job.crashes_max": 100 },
  });
  const gone = new Map<number, number>();
  const everybody: WorkerProcess[] = [];
  let kills = 0;
  const place = async (n: number): Promise<void> => {
    const random = seeded(SEED + n);
    for (let life = 1; kills < KILLS; life++) {
      const enqueues = { type: "app.keyed", prefix: `e${n}.${life}`, keys: 7, seed: n };
      const victim = bench.start(n <= 2 ? { concurrency: 4 } : { enqueues });
      everybody.push(victim);
      await victim.ready();
      // A random moment of its life, from the first milliseconds on.
      await new Promise((resolve) => setTimeout(resolve, random() ** 2 * 150));
      await victim.kill();
      gone.set(victim.pid, Date.now());
      if (++kills % 15 === 0) expect(brokenInvariants(bench.databasePath)).toEqual([]);
    }
  };
  await Promise.all([1, 2, 3, 4].map(place));
  await drain(bench);

  const acked = everybody.flatMap(({ told }) => told.filter((line) => line.acked !== undefined));
  expect(acked.length).toBeGreaterThan(KILLS);
  expect(everybody.flatMap(({ told }) => told.filter(({ failed }) => failed !== undefined))).toEqual([]);
  expect(await checkJobs(bench, new Set(acked.map((line) => line.acked ?? "")))).toEqual([]);
  expect(recordedTwice(everybody)).toEqual([]);
  expect(overLimit(bench.effects.all(), gone)).toEqual([]);
});

/** Runs everything that is left to its end. */
async function drain(bench: Bench): Promise<void> {
  const worker = await bench.worker({ concurrency: 20 });
  for (;;) {
    const { jobs } = await bench.backend.list({ limit: 1, state: "queued" });
    const [job] =
      jobs.length > 0
        ? jobs
        : (
            await Promise.all(
              (["running", "scheduled"] as const).map((state) => bench.backend.list({ limit: 1, state })),
            )
          ).flatMap((page) => page.jobs);
    if (job === undefined) break;
    await bench.settled(job.jobId, 30_000);
  }
  await worker.stop({ graceMs: 5_000 });
}

/** Every job, acknowledged or not, has ended once, and its handler ran no oftener than it was started. */
async function checkJobs(bench: Bench, acked: Set<string>): Promise<readonly string[]> {
  const starts = Map.groupBy(
    bench.effects.all().filter(({ event }) => event === "start"),
    ({ jobId }) => jobId,
  );
  const ends = new Set(bench.effects.all().flatMap(({ event, jobId }) => (event === "end" ? [jobId] : [])));
  const wrong: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bench.backend.list({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    cursor = page.cursor ?? undefined;
    for (const { jobId, state } of page.jobs) {
      acked.delete(jobId);
      const started = starts.get(jobId)?.length ?? 0;
      const { attempt } = await bench.status(jobId);
      if (state !== "completed") wrong.push(`${jobId} is ${state}`);
      if (started > attempt) wrong.push(`${jobId} was started ${started} times in ${attempt} attempts`);
      if (!ends.has(jobId)) wrong.push(`${jobId} is completed and its handler never came to its end`);
    }
  } while (cursor !== undefined);
  return [...wrong, ...[...acked].map((jobId) => `${jobId} was acknowledged and is lost`)];
}

function recordedTwice(everybody: readonly WorkerProcess[]): readonly string[] {
  const completed = everybody.flatMap(({ told }) =>
    told.flatMap(({ event }) => (event?.kind === "completed" ? [event.jobId] : [])),
  );
  return completed.filter((jobId, index) => completed.indexOf(jobId) !== index);
}

/** Starts that found a key's limit in use. A handler whose process was killed is over from then on. */
function overLimit(lines: readonly EffectLine[], gone: ReadonlyMap<number, number>): readonly string[] {
  const running = new Map<string, EffectLine>();
  return lines.flatMap((line) => {
    const name = `${line.jobId} ${line.attempt}`;
    if (line.event !== "start") {
      running.delete(name);
      return [];
    }
    for (const [other, { pid }] of running)
      if ((gone.get(pid) ?? Number.POSITIVE_INFINITY) <= line.atMs) running.delete(other);
    running.set(name, line);
    const same = [...running.values()].filter(({ key }) => key === line.key);
    return same.length > KEY_LIMIT ? [`${line.key}: ${same.map(({ name: job }) => job).join(", ")}`] : [];
  });
}
