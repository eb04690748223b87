// A real worker process of the tests: it does what its one argument says and answers with a line for each event.
import { flushCompileCache } from "node:module";
import { systemClock } from "../../src/clock.ts";
import type { Flags } from "../../src/config/load.ts";
import { loadConfig } from "../../src/config/load.ts";
import { toErrorRecord } from "../../src/error.ts";
import { composeWindlass } from "../../src/windlass.ts";
import { type WorkSpec, workType } from "./work-type.ts";

/** What a worker process is told. */
export interface WorkerOrder {
  readonly folder: string;
  readonly flags: Flags;
  readonly types: readonly WorkSpec[];
  readonly concurrency: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly onStuck: "report" | "kill";
  readonly claims: boolean;
  readonly graceMs: number;
  /** Enqueues jobs of a type without end instead of serving, each named after its ordinal; acknowledged ones are told. */
  readonly enqueues?: { readonly type: string; readonly prefix: string; readonly keys: number; readonly seed: number };
}

const order = JSON.parse(process.argv[2] ?? "{}") as WorkerOrder;
const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
// Whoever started this is gone: nothing is left behind.
process.stdin.on("end", () => process.exit(0)).resume();

try {
  const { folder, flags } = order;
  const { config } = await loadConfig({ env: {}, flags, cwd: folder, home: folder });
  const windlass = await composeWindlass({
    config,
    mode: "migrate",
    types: order.types.map((spec) => workType(folder, spec)),
    environment: process.env,
    clock: systemClock,
  });
  if (order.enqueues !== undefined) await enqueue(windlass, order.enqueues);
  const worker = await windlass.serve({
    concurrency: order.concurrency,
    labels: order.labels,
    onStuck: order.onStuck,
    claims: order.claims,
    onEvent: (event) => tell({ event }),
  });
  process.on("SIGTERM", () => void worker.stop({ graceMs: order.graceMs }));
  tell({ ready: worker.id });
  // Written at exit otherwise, which most of these processes never come to.
  flushCompileCache();
  await worker.stopped;
  await windlass.backend.close();
  tell({ stopped: true });
  process.exit(0);
} catch (error) {
  tell({ failed: toErrorRecord(error) });
  process.exit(1);
}

/** Several callers at once, so that commits are shared; never returns. */
async function enqueue(
  { submit }: Awaited<ReturnType<typeof composeWindlass>>,
  { type, prefix, keys, seed }: NonNullable<WorkerOrder["enqueues"]>,
): Promise<never> {
  tell({ ready: prefix });
  let ordinal = 0;
  const actor = { kind: "person", name: "tester", via: "library" } as const;
  const caller = async (): Promise<never> => {
    for (;;) {
      const n = ++ordinal;
      const input = { name: `${prefix}-${n}`, key: `k${(n * seed) % keys}`, ...(n % 11 === 0 ? { fails: 1 } : {}) };
      // Every seventh has a key of its own and is asked for twice: the second answer must name the same job.
      const options = n % 7 === 0 ? { idempotencyKey: input.name } : {};
      const request = { type, input, options, actor };
      const [accepted] = await submit.submit([request]);
      tell({ acked: accepted?.jobId, name: input.name });
      if (n % 7 === 0) {
        const [again] = await submit.submit([request]);
        if (again?.jobId !== accepted?.jobId) tell({ failed: { code: "TWICE", message: input.name } });
      }
      // Backlog enough for everybody to be busy, and not more than a test has time for.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all(Array.from({ length: 3 }, caller));
  throw new Error("unreachable");
}
