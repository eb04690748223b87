import { z } from "zod";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { rawRecords, rawSteps } from "../raw.ts";
import { ACTOR, openProduct, serve, submitAll, temporaryFolder } from "../setup.ts";
import type { Pair } from "./throughput.ts";

/** Steps that do nothing, one after the other; with `wait` the job then waits for an event that makes it replay. */
const stepping = defineDurableJob({
  name: "bench.steps",
  input: z.strictObject({ steps: z.int(), wait: z.boolean().default(false) }),
  async run({ steps, wait }, ctx) {
    let sum = 0;
    for (let n = 0; n < steps; n++) sum += await ctx.step("add", () => 1);
    if (wait) await ctx.waitFor("bench.go");
    return sum;
  },
});

/** Steps a second of so many jobs at once, each step on disk before the next one of its job begins. */
export async function stepsRun(jobs: number, stepsEach: number): Promise<Pair> {
  using folder = temporaryFolder();
  await using product = await openProduct(folder.path, [stepping]);
  const worker = await serve(product, jobs);
  const before = product.embedded?.commitCounts ?? { commits: 0, mutations: 0 };
  const started = performance.now();
  const ids = await submitAll(
    product,
    stepping,
    Array.from({ length: jobs }, () => ({ steps: stepsEach })),
  );
  await Promise.all(ids.map((id) => product.backend.settled(id)));
  const steps = jobs * stepsEach;
  const rate = steps / ((performance.now() - started) / 1_000);
  const after = product.embedded?.commitCounts ?? before;
  await worker.stop({ graceMs: 1_000 });
  const batch = Math.max(1, Math.round(steps / Math.max(1, after.commits - before.commits)));
  return { product: rate, raw: rawSteps({ folder: folder.path, jobs: steps, batch }), batch };
}

/** A replay beside what it stands on, in milliseconds. */
export interface ReplayRun {
  readonly product: number;
  /** Reading as many rows and their JSON. */
  readonly raw: number;
}

/** From the event to the end of a job of so many steps whose code must run from the top. */
export async function replayRun(steps: number): Promise<ReplayRun> {
  using folder = temporaryFolder();
  await using product = await openProduct(folder.path, [stepping]);
  const first = await serve(product, 1);
  const [jobId = ""] = await submitAll(product, stepping, [{ steps, wait: true }]);
  await product.backend.settled(jobId, { until: ({ state }) => state === "waiting" });
  await first.stop({ graceMs: 0 });
  const second = await serve(product, 1);
  const started = performance.now();
  await product.backend.emit({ event: "bench.go", payload: {} }, ACTOR);
  await product.backend.settled(jobId);
  const tookMs = performance.now() - started;
  await second.stop({ graceMs: 0 });
  return { product: tookMs, raw: rawRecords({ folder: folder.path, jobs: steps, batch: 1_000 }) };
}
