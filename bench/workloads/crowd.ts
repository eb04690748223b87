import { statSync } from "node:fs";
import { z } from "zod";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import type { Windlass } from "../../src/windlass.ts";
import { ACTOR, Moves, openProduct, serve, submitAll, temporaryFolder } from "../setup.ts";

/** What a crowd of jobs that wait costs. */
export interface CrowdRun {
  readonly jobs: number;
  /** Until all of them wait, a job. */
  readonly microsecondsToWait: number;
  /** Of the process, a job, after a garbage collection where node was started with --expose-gc. */
  readonly memoryBytes: number;
  /** Of the database with its log, a job. */
  readonly fileBytes: number;
  /** From the call of `emit` to the end of one job among them. Empty for sleepers. */
  readonly oneMs: readonly number[];
  /** From what wakes them all to the last end. */
  readonly allMs: number;
  /** The longest that the event loop was held up meanwhile. */
  readonly stalledMs: number;
}

/** Jobs that sleep until the same time. */
export function sleeperRun(jobs: number): Promise<CrowdRun> {
  // Long enough that all of them sleep before the first wakes, on a busy machine too.
  const untilMs = Date.now() + 5_000 + jobs * 2;
  const type = defineDurableJob({
    name: "bench.sleeper",
    input: z.strictObject({ n: z.int() }),
    run: (_, ctx) => ctx.sleepUntil(new Date(untilMs)),
  });
  return crowdRun(jobs, type, {
    wakeOne: undefined,
    wakeAll: async () => {
      await new Promise((resolve) => setTimeout(resolve, untilMs - Date.now()));
      return performance.now();
    },
  });
}

/** Jobs that wait for an event that is meant for all of them, or for one that is its own. */
export function waitingRun(jobs: number): Promise<CrowdRun> {
  const type = defineDurableJob({
    name: "bench.waiting",
    input: z.strictObject({ n: z.int() }),
    async run({ n }, ctx) {
      // The last hundred have an event of their own.
      await (n >= jobs - ONES ? ctx.waitFor("bench.one", { match: { n } }) : ctx.waitFor("bench.all"));
    },
  });
  return crowdRun(jobs, type, {
    wakeOne: (product, n) => product.backend.emit({ event: "bench.one", payload: { n } }, ACTOR),
    wakeAll: async (product) => {
      const started = performance.now();
      await product.backend.emit({ event: "bench.all", payload: {} }, ACTOR);
      return started;
    },
  });
}

const ONES = 100;

interface Wakers {
  readonly wakeOne: ((product: Windlass, n: number) => Promise<unknown>) | undefined;
  /** Resolves with the time at which it was called. */
  readonly wakeAll: (product: Windlass) => Promise<number>;
}

async function crowdRun(jobs: number, type: Parameters<typeof submitAll>[1], wakers: Wakers): Promise<CrowdRun> {
  using folder = temporaryFolder();
  await using product = await openProduct(folder.path, [type]);
  const moves = new Moves();
  const worker = await serve(product, 100, moves);
  const before = residentBytes();
  const started = performance.now();
  const ids = await submitAll(
    product,
    type,
    Array.from({ length: jobs }, (_, n) => ({ n })),
  );
  const microsecondsToWait = (((await moves.reach("suspended", jobs)) - started) / jobs) * 1_000;
  const memoryBytes = (residentBytes() - before) / jobs;
  const fileBytes = (sizeOf(`${folder.path}/windlass.db`) + sizeOf(`${folder.path}/windlass.db-wal`)) / jobs;
  const oneMs: number[] = [];
  const { wakeOne } = wakers;
  for (const [n, jobId] of wakeOne === undefined ? [] : [...ids.entries()].slice(-ONES)) {
    const at = performance.now();
    await wakeOne?.(product, n);
    await product.backend.settled(jobId);
    oneMs.push(performance.now() - at);
  }
  const stalls = watchStalls();
  const wokenAt = await wakers.wakeAll(product);
  const allMs = (await moves.reach("completed", jobs)) - wokenAt;
  const stalledMs = stalls();
  await worker.stop({ graceMs: 1_000 });
  return { jobs, microsecondsToWait, memoryBytes, fileBytes, oneMs, allMs, stalledMs };
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Watches how long the event loop is held up; what it returns ends that and says the longest time. */
function watchStalls(): () => number {
  let last = performance.now();
  let longest = 0;
  const beat = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return () => {
    clearInterval(beat);
    return longest;
  };
}
