import { z } from "zod";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { rawFanOut } from "../raw-fan-out.ts";
import { noop, openProduct, payload, serve, submitAll, temporaryFolder } from "../setup.ts";

/** Milliseconds of one fan-out with its join, the product's and raw SQLite's for the same rows and as many commits. */
export interface FanOutRun {
  readonly product: number;
  readonly raw: number;
  readonly commits: number;
}

/** From the first child's call to the code that has all their results. Children do nothing; one worker, 100 at once. */
export async function fanOutRuns(children: number, times: number): Promise<FanOutRun[]> {
  using folder = temporaryFolder();
  let tookMs = Number.NaN;
  const parent = defineDurableJob({
    name: "bench.parent",
    input: z.strictObject({ children: z.int() }),
    async run(input, ctx) {
      const started = performance.now();
      const calls = Array.from(
        { length: input.children },
        (_, n) => [`c${n}`, () => ctx.run(noop, payload(n))] as const,
      );
      await ctx.all(Object.fromEntries(calls));
      tookMs = performance.now() - started;
    },
  });
  await using product = await openProduct(folder.path, [noop, parent]);
  const worker = await serve(product, 100);
  const runs: FanOutRun[] = [];
  // The first one warms up: it is not counted.
  for (let n = -1; n < times; n++) {
    const before = product.embedded?.commitCounts.commits ?? 0;
    const [jobId = ""] = await submitAll(product, parent, [{ children }]);
    await product.backend.settled(jobId);
    const commits = (product.embedded?.commitCounts.commits ?? 0) - before;
    if (n >= 0) runs.push({ product: tookMs, raw: rawFanOut(folder.path, children, commits), commits });
  }
  await worker.stop({ graceMs: 1_000 });
  return runs;
}
