import { z } from "zod";
import { EventCounts, WaitingCounts } from "./waiting-shape.ts";

const Ms = z.number().nullable();
const Count = z.int();
const Spread = z.strictObject({ count: Count, p50: z.number(), p90: z.number(), p99: z.number(), max: z.number() });

/** Numbers about a database. Snake_case, because they cross a border as they are; times in milliseconds. */
export const QueueMetrics = z.strictObject({
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
    held_back: Count.describe(
      "By a rate limit, left to the machine that ran them, or until their approval can be verified.",
    ),
    running: Count,
    oldest_ms: Ms.describe("Since when the oldest of those next in line is due."),
    by_type: z.array(z.strictObject({ type: z.string(), queued: Count, oldest_ms: Ms })).readonly(),
  }),
  waiting: WaitingCounts,
  events: EventCounts,
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

/** {@link QueueMetrics} as a type. */
export type QueueMetrics = z.output<typeof QueueMetrics>;
