// A real worker process of the tests: it does what its one argument says and answers with a line for each event.
import { flushCompileCache } from "node:module";
import { systemClock } from "../../src/clock.ts";
import type { Flags } from "../../src/config/load.ts";
import { loadConfig } from "../../src/config/load.ts";
import { toErrorRecord } from "../../src/error.ts";
import { composeWindlass } from "../../src/windlass.ts";
import { dieWhileGiving } from "./die-while-giving.ts";
import { durableTypes } from "./durable-types.ts";
import { enqueueLoad, type Load } from "./load.ts";
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
  /** Serves the types of `durable-types.ts` too. */
  readonly durable?: boolean;
  /** Enqueues without end instead of serving. */
  readonly load?: Load;
  /** Emits this event instead of serving, and kills itself as soon as some have it and others do not. */
  readonly gives?: string;
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
    types: [...order.types.map((spec) => workType(folder, spec)), ...(order.durable ? durableTypes(folder) : [])],
    environment: process.env,
    clock: systemClock,
  });
  if (order.load !== undefined) {
    tell({ ready: order.load.prefix });
    await enqueueLoad(windlass, order.load, tell);
  }
  if (order.gives !== undefined) await dieWhileGiving(windlass, order.gives);
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
