import { rawDrain, rawEnqueue } from "../raw.ts";
import { ACTOR, noop, openProduct, payload, temporaryFolder } from "../setup.ts";

/** One run of a workload: the product's rate, raw SQLite's for the same work, both in jobs a second, and the mean batch. */
export interface Pair {
  readonly product: number;
  readonly raw: number;
  readonly batch: number;
}

/** Jobs that a bulk call holds. */
const BULK = 1_000;

/** Each caller awaits its own job before it submits the next. */
export async function enqueueRun(callers: number, jobs: number): Promise<Pair> {
  return paired(jobs, rawEnqueue, async ({ submit }) => {
    let next = 0;
    const caller = async (): Promise<void> => {
      while (next < jobs) await submit.submit([{ type: noop.name, input: payload(next++), options: {}, actor: ACTOR }]);
    };
    await Promise.all(Array.from({ length: callers }, caller));
  });
}

/** One call submits a thousand jobs, all or none. */
export async function bulkRun(jobs: number): Promise<Pair> {
  const pair = await paired(
    jobs,
    (run) => rawEnqueue({ ...run, batch: BULK }),
    async ({ submit }) => {
      for (let at = 0; at < jobs; at += BULK) {
        await submit.submit(
          Array.from({ length: BULK }, (_, n) => ({
            type: noop.name,
            input: payload(at + n),
            options: {},
            actor: ACTOR,
          })),
        );
      }
    },
  );
  return { ...pair, batch: BULK };
}

/** Preloaded jobs that do nothing, from the first claim to the last end on disk. */
export async function drainRun(concurrency: number, jobs: number): Promise<Pair> {
  using folder = temporaryFolder();
  await using product = await openProduct(folder.path);
  let last = "";
  for (let at = 0; at < jobs; at += BULK) {
    const accepted = await product.submit.submit(
      Array.from({ length: BULK }, (_, n) => ({ type: noop.name, input: payload(at + n), options: {}, actor: ACTOR })),
    );
    last = accepted.at(-1)?.jobId ?? "";
  }
  const before = product.embedded?.commitCounts ?? { commits: 0, mutations: 0 };
  const worker = await product.serve({ concurrency, labels: {}, onStuck: "report", claims: true });
  const started = performance.now();
  await product.backend.settled(last);
  const rate = jobs / ((performance.now() - started) / 1_000);
  const after = product.embedded?.commitCounts ?? before;
  await worker.stop({ graceMs: 1_000 });
  const batch = Math.max(1, Math.round(jobs / Math.max(1, after.commits - before.commits)));
  return { product: rate, raw: rawDrain({ folder: folder.path, jobs, batch }), batch };
}

async function paired(
  jobs: number,
  raw: (run: { folder: string; jobs: number; batch: number }) => number,
  work: (product: Awaited<ReturnType<typeof openProduct>>) => Promise<void>,
): Promise<Pair> {
  using folder = temporaryFolder();
  await using product = await openProduct(folder.path);
  const before = product.embedded?.commitCounts ?? { commits: 0, mutations: 0 };
  const started = performance.now();
  await work(product);
  const rate = jobs / ((performance.now() - started) / 1_000);
  const after = product.embedded?.commitCounts ?? before;
  const batch = Math.max(
    1,
    Math.round((after.mutations - before.mutations) / Math.max(1, after.commits - before.commits)),
  );
  return { product: rate, raw: raw({ folder: folder.path, jobs, batch }), batch };
}
