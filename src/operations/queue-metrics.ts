import { z } from "zod";
import { openDatabase } from "../database/open.ts";
import { readQueueMetrics } from "../doctor/queue-metrics.ts";
import { machineIdentity } from "../host/local/machine.ts";
import type { Pairs } from "../logfmt.ts";
import { databasePath } from "./db/database-path.ts";
import { defineOperation } from "./operation.ts";

const Ms = z.number().nullable();
const Count = z.int();
const Spread = z.strictObject({ count: Count, p50: z.number(), p90: z.number(), p99: z.number(), max: z.number() });

const Output = z.strictObject({
  at: z.iso.datetime({ precision: 3 }),
  database: z.strictObject({
    path: z.string(),
    schema: Count,
    bytes: Count,
    free_bytes: Count.describe("In pages that retention has emptied and that the next rows take."),
    log_bytes: Count,
  }),
  wal: z.strictObject({ busy: z.boolean(), log: Count, checkpointed: Count }).describe("Pages, as SQLite names them."),
  queue: z.strictObject({
    queued: Count.describe("Due and free to start."),
    blocked: Count.describe("Due, and waiting for a concurrency key."),
    scheduled: Count.describe("Their time has not come."),
    retrying: Count.describe("Failed, and waiting for their next attempt."),
    held_back: Count.describe("By a rate limit, or left to the machine that ran them."),
    running: Count,
    oldest_ms: Ms.describe("Since when the oldest of those next in line is due."),
    by_type: z.array(z.strictObject({ type: z.string(), queued: Count, oldest_ms: Ms })).readonly(),
  }),
  finished: z
    .strictObject({ completed: Count, failed: Count, cancelled: Count, expired: Count })
    .describe("Runs that are still kept."),
  recent: z
    .strictObject({
      runs: Count,
      start_ms: Spread.nullable().describe("From due to claimed, of runs that needed one attempt."),
      run_ms: Spread.nullable().describe("From claimed to finished, of the last attempt."),
    })
    .describe("The newest 1,000 jobs that ended."),
  leases: z.strictObject({ count: Count, oldest_ms: Ms, of_dead_workers: Count, expired: Count }),
  workers: z.strictObject({ live: Count, slots: Count, dead: Count }),
  keys: z.strictObject({ held: Count }).describe("Concurrency keys."),
  dedupe: z.strictObject({
    hits: Count.describe("How often an idempotency key gave an earlier job back."),
    keys: Count,
    window_ms: z.record(z.string(), z.number()).describe("How long each published type remembers a key."),
  }),
  schedules: z.strictObject({ active: Count, paused: Count, next_at: z.string().nullable() }),
});

/** Reads the numbers of the queue. */
export const queueMetrics = defineOperation({
  name: "queue-metrics",
  summary: "Print the numbers of the queue: depth, age, latency, log, leases, keys.",
  description: "Costs about 0.1 s with a million jobs queued and a million finished.",
  access: "read",
  input: z.strictObject({ format: z.enum(["text", "json"]).default("text").describe("How it is printed.") }),
  output: Output,
  errors: ["UNSUPPORTED"],
  database: "none",
  lines: (metrics) => metricLines(metrics),
  async run(_, context) {
    const db = openDatabase(await databasePath(context), { mode: "read", nowMs: context.clock.now() });
    try {
      return readQueueMetrics(db, context.clock, machineIdentity());
    } finally {
      db.close();
    }
  },
});

/** Every number as a line of its own, named by the way to it: `metric=queue_queued value=3`. */
function metricLines(metrics: z.output<typeof Output>): readonly Pairs[] {
  const { at, queue, ...rest } = metrics;
  const { by_type, ...totals } = queue;
  return [
    ...flatten("", { ...rest, queue: totals }).map(([metric, value]) => ({ metric, value, ts: at })),
    ...by_type.flatMap(({ type, queued, oldest_ms }) => [
      { metric: "queue_queued", value: queued, ts: at, type },
      { metric: "queue_oldest_ms", value: oldest_ms, ts: at, type },
    ]),
  ];
}

function flatten(prefix: string, value: unknown): [string, number][] {
  if (typeof value === "number") return [[prefix, value]];
  if (typeof value === "boolean") return [[prefix, value ? 1 : 0]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => flatten(prefix === "" ? name : `${prefix}_${name}`, inner));
}
