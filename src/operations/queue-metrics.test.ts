import { afterEach, beforeEach, expect, test } from "vitest";
import type { z } from "zod";
import { CliFolder } from "../../test/support/cli.ts";
import { queueMetrics } from "./queue-metrics.ts";

type Metrics = z.output<typeof queueMetrics.output>;

let folder: CliFolder;
beforeEach(() => {
  folder = new CliFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const enqueue = (...more: readonly string[]) =>
  folder.json<{ job_id: string }>([
    ...["jobs", "enqueue", "--type", "exec", "--input-json", '{"argv":["true"]}'],
    ...more,
  ]);

test("the numbers are those of the queue", async () => {
  await enqueue("--idempotency-key", "once");
  const { value } = await enqueue("--idempotency-key", "once");
  await enqueue("--delay", "1h");
  const before = await folder.call(["queue-metrics", "--format", "json"]);
  const waiting: Metrics = queueMetrics.output.parse(JSON.parse(before.stdout));
  expect(waiting.queue).toMatchObject({ queued: 1, scheduled: 1, running: 0, by_type: [{ type: "exec", queued: 1 }] });
  expect(waiting.queue.oldest_ms).toBeGreaterThan(0);
  expect(waiting.dedupe).toMatchObject({ hits: 1, keys: 1 });
  expect(waiting.recent).toEqual({ runs: 0, start_ms: null, run_ms: null });

  await folder.worker();
  await folder.call(["jobs", "wait", value.job_id]);
  await folder.call(["run", "exec", "--", "false"]);
  const after = (await folder.json<Metrics>(["queue-metrics"])).value;
  expect(after.queue).toMatchObject({ queued: 0, scheduled: 1, oldest_ms: null, by_type: [] });
  expect(after.finished).toEqual({ completed: 1, failed: 1, cancelled: 0, expired: 0 });
  expect(after.recent).toMatchObject({ runs: 2, start_ms: { count: 2 }, run_ms: { count: 2 } });
  expect(after.workers).toMatchObject({ live: 1, slots: 5, dead: 0 });
  expect(after.dedupe.window_ms).toMatchObject({ exec: 86_400_000, "http.request": 86_400_000 });
  expect(after.wal.log).toBeGreaterThanOrEqual(after.wal.checkpointed);

  const lines = (await folder.call(["queue-metrics"])).stdout.split("\n");
  expect(lines).toContainEqual(expect.stringMatching(/^metric=queue_scheduled value=1 ts=\S+Z$/));
  expect(lines).toContainEqual(expect.stringMatching(/^metric=recent_run_ms_p99 value=\d+ ts=\S+Z$/));
});

test("a database that is not there is said", async () => {
  expect((await folder.call(["queue-metrics"])).status).toBe(2);
});
