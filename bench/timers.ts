import { loadavg } from "node:os";
import { z } from "zod";
import { defineDurableJob } from "../src/job/durable/define-durable-job.ts";
import { ACTOR, openProduct, temporaryFolder } from "./setup.ts";
import { percentile } from "./statistics.ts";

/** Jobs that sleep at once: all are due in the same few milliseconds. */
const SLEEPERS = 100;
const SPANS_S = { full: [0.1, 1, 5, 30], quick: [0.1, 1] } as const;

/** So many jobs, each of which sleeps once. Answers how many milliseconds later than asked they went on; below zero would be early. */
async function sleepRun(ms: number): Promise<readonly number[]> {
  const late: number[] = [];
  const all = Promise.withResolvers<void>();
  const sleeper = defineDurableJob({
    name: "bench.sleeper",
    input: z.strictObject({ ms: z.int() }),
    async run({ ms }, ctx) {
      const from = performance.now();
      await ctx.sleep(ms);
      // Not by `settled`: a hundred who watch would look at each commit, which costs more than the sleep's end.
      if (late.push(performance.now() - from - ms) === SLEEPERS) all.resolve();
    },
  });
  using folder = temporaryFolder();
  await using product = await openProduct(folder.path, [sleeper]);
  const worker = await product.serve({ concurrency: SLEEPERS, labels: {}, onStuck: "report", claims: true });
  await product.submit.submit(
    Array.from({ length: SLEEPERS }, () => ({ type: sleeper.name, input: { ms }, options: {}, actor: ACTOR })),
  );
  await all.promise;
  await worker.stop({ graceMs: 1_000 });
  return late;
}

/** Prints how late durable sleeps end, from the call of `ctx.sleep` to what follows it: with its commit and that of its end. */
export async function printTimers(scale: "full" | "quick"): Promise<void> {
  // The first run of the code is several times slower.
  await sleepRun(50);
  for (const seconds of SPANS_S[scale]) {
    const late = await sleepRun(seconds * 1_000);
    const show = (share: number): string => percentile(late, share).toFixed(1);
    console.log(
      `${`${SLEEPERS} sleeps of ${seconds} s`.padEnd(30)} late by p50 ${show(0.5)}  p99 ${show(0.99)}  max ${show(1)} ms; early ${late.filter((ms) => ms < 0).length}; load ${loadavg()[0]?.toFixed(1)}`,
    );
  }
}
