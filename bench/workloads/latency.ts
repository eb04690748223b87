import { commitCost } from "../raw.ts";
import { ACTOR, noop, openProduct, payload, temporaryFolder } from "../setup.ts";

/** Milliseconds from the call of `submit` to the start of the handler, one after another on an idle worker. */
export interface LatencyRun {
  readonly product: readonly number[];
  /** One commit of one row after the same rest. */
  readonly raw: readonly number[];
}

/** @param idleMs rest before each job; 0: back to back. */
export async function latencyRun(idleMs: number, times: number): Promise<LatencyRun> {
  using folder = temporaryFolder();
  await using product = await openProduct(folder.path);
  let startedAt = 0;
  const worker = await product.serve({
    concurrency: 5,
    labels: {},
    onStuck: "report",
    claims: true,
    onEvent: (event) => {
      if (event.kind === "claimed") startedAt = performance.now();
    },
  });
  const delays: number[] = [];
  for (let n = 0; n < times; n++) {
    if (idleMs > 0) await new Promise((resolve) => setTimeout(resolve, idleMs));
    const at = performance.now();
    const [job] = await product.submit.submit([{ type: noop.name, input: payload(n), options: {}, actor: ACTOR }]);
    await product.backend.settled(job?.jobId ?? "");
    delays.push(startedAt - at);
  }
  await worker.stop({ graceMs: 1_000 });
  return { product: delays, raw: await commitCost(folder.path, idleMs, times) };
}
