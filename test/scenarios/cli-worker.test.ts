import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

const COUNTERS = [
  "jobs_enqueued_total",
  "jobs_completed_total",
  "jobs_failed_total",
  "jobs_cancelled_total",
  "playwright_sessions_total",
  "aloha_runs_total",
];

test("metrics are written at the start and at the end, to standard output or a file", async () => {
  await using folder = new CliFolder();
  for (const args of [["true"], ["false"]]) await folder.call(["jobs", "enqueue", "--type", "exec", "--", ...args]);
  const env = { WINDLASS_METRICS_PATH: join(folder.path, "metrics.txt") };
  const worker = await folder.worker(["--metrics"], { env });
  await worker.says("job completed");
  await worker.says("job failed");
  worker.kill("SIGINT");
  expect(await worker.ended).toMatchObject({ status: 0, stdout: "" });
  const lines = readFileSync(join(folder.path, "metrics.txt"), "utf8").trim().split("\n").map(pairsOf);
  expect(lines.map(({ metric }) => metric)).toEqual([...COUNTERS, ...COUNTERS]);
  expect(lines.map(({ value }) => value).join("")).toBe("000000" + "011000");
  expect(lines[0]).toMatchObject({ ts: expect.stringMatching(/^\d{4}-.*Z$/) });

  const again = await folder.worker(["--metrics", "--metrics-interval", "1s"]);
  again.kill("SIGTERM");
  const written = (await again.ended).stdout.trim().split("\n");
  expect(written.length).toBeGreaterThanOrEqual(12);
  expect(written.map((line) => pairsOf(line)["metric"]).slice(-6)).toEqual(COUNTERS);
});

test("a second signal ends a worker at once; the next one adopts what its programs became", async () => {
  await using folder = new CliFolder();
  const go = join(folder.path, "go");
  const script = `echo up; while [ ! -e ${go} ]; do sleep 0.05; done; echo done`;
  const { stdout } = await folder.call(["jobs", "enqueue", "--type", "exec", "--", "sh", "-c", script]);
  const jobId = pairsOf(stdout)["job_id"] ?? "";
  const first = await folder.worker();
  const logs = folder.start(["jobs", "logs", "-f", jobId]);
  await logs.says("text=up");
  first.kill("SIGTERM");
  await first.says("worker stops");
  first.kill("SIGTERM");
  expect((await first.ended).status).toBe(143);
  await folder.worker();
  folder.write("go", "");
  const { status, stdout: followed } = await logs.ended;
  expect(status).toBe(0);
  // Every line once, though two attempts wrote them and two workers looked after them.
  expect(followed.split("\n").filter((line) => line.startsWith("stream="))).toEqual([
    "stream=stdout text=up",
    "stream=stdout text=done",
  ]);
  expect(followed).toContain("event=lease.reclaimed");
  expect((await folder.json(["jobs", "status", jobId])).value).toMatchObject({ state: "completed", failures: 0 });
});
