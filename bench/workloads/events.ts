import { z } from "zod";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { commitCost } from "../raw.ts";
import { ACTOR, Moves, openProduct, serve, submitAll, temporaryFolder } from "../setup.ts";

/** Milliseconds from the call of `emit` until the code that waits goes on. */
export interface WakeRun {
  /** The code is in the worker's memory. */
  readonly parked: readonly number[];
  /** It is not: it runs from the top. */
  readonly replayed: readonly number[];
  /** One commit of one row that waits for the disk. */
  readonly raw: readonly number[];
}

/** Each of so many jobs waits for an event of its own; they are emitted one after the other. */
export async function wakeRun(times: number): Promise<WakeRun> {
  using folder = temporaryFolder();
  return {
    parked: await wakes(folder.path, "parked", times),
    replayed: await wakes(folder.path, "replayed", times),
    raw: await commitCost(folder.path, 0, times),
  };
}

async function wakes(folder: string, kind: "parked" | "replayed", times: number): Promise<number[]> {
  let wokenAt = 0;
  const job = defineDurableJob({
    name: `bench.${kind}`,
    input: z.strictObject({ n: z.int() }),
    async run({ n }, ctx) {
      await ctx.waitFor("bench.go", { match: { n } });
      wokenAt = performance.now();
    },
  });
  await using product = await openProduct(folder, [job]);
  const moves = new Moves();
  const first = await serve(product, 10, moves);
  const inputs = Array.from({ length: times }, (_, n) => ({ n }));
  const ids = await submitAll(product, job, inputs);
  await moves.reach("suspended", times);
  // A worker that stops lets go of the code that it has in memory.
  if (kind === "replayed") await first.stop({ graceMs: 0 });
  const worker = kind === "replayed" ? await serve(product, 10) : first;
  const delays: number[] = [];
  for (const [n, jobId] of ids.entries()) {
    const at = performance.now();
    await product.backend.emit({ event: "bench.go", payload: { n } }, ACTOR);
    await product.backend.settled(jobId);
    delays.push(wokenAt - at);
  }
  await worker.stop({ graceMs: 1_000 });
  return delays;
}
