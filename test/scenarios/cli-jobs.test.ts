import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder, pairsOf, type RunningCli } from "../support/cli.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const JOBS = `
import { existsSync } from "node:fs";
import { z } from "${new URL("../../node_modules/zod/index.js", import.meta.url).href}";
import { defineJob } from "${new URL("../../src/job/definition.ts", import.meta.url).href}";
export const steps = defineJob({
  name: "app.steps",
  input: z.strictObject({ count: z.int().min(1).describe("How many."), hold: z.string().optional() }),
  run: async ({ count, hold }, ctx) => {
    ctx.progress({ done: 1, total: count, message: "step 1" });
    while (hold !== undefined && !existsSync(hold)) await new Promise((resolve) => setTimeout(resolve, 20));
    return { count };
  },
});
export const deaf = defineJob({
  name: "app.deaf",
  input: z.strictObject({ until: z.string() }),
  run: async ({ until }) => {
    while (!existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 50));
  },
});
`;

/** A folder with a worker that serves exec and app.steps. */
let folder: CliFolder;
let worker: RunningCli;
beforeAll(async () => {
  folder = new CliFolder();
  folder.write("jobs.ts", JOBS);
  worker = await folder.worker(["--jobs", "jobs.ts", "--label", "site=lab1"], {
    env: { WINDLASS_EXEC_SECRETS: "TOKEN", TOKEN: "hunter2-hunter2", WINDLASS_WORKER_KILL_GRACE: "1m" },
  });
});
afterAll(() => folder[Symbol.asyncDispose]());

async function enqueue(...args: string[]): Promise<string> {
  const { stdout, stderr } = await folder.call(["jobs", "enqueue", "--type", "exec", ...args]);
  const { job_id } = pairsOf(stdout);
  if (job_id === undefined) throw new Error(stderr);
  return job_id;
}

describe.concurrent("jobs", () => {
  test("enqueue prints the id, the state and the trace on one line, and with --json the database too", async () => {
    const { status, stdout, stderr } = await folder.call(["jobs", "enqueue", "--type", "exec", "--", "true"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(Object.keys(pairsOf(stdout))).toEqual(["job_id", "state", "trace_id"]);
    const { value } = await folder.json(["jobs", "enqueue", "--type", "exec", "--trace-id", "t-1", "--", "true"]);
    expect(value).toEqual({
      job_id: expect.stringMatching(UUID),
      state: "queued",
      trace_id: "t-1",
      queued_at: expect.stringMatching(TIME),
      existing: false,
      approval_id: null,
      database: expect.stringMatching(/\.windlass\/windlass\.db$/),
      served: true,
    });
  });

  test("wait, status and list speak of the same job", async () => {
    const jobId = await enqueue("--metadata", "batch=7", "--priority", "3", "--", "echo", "hi");
    const waited = await folder.call(["jobs", "wait", jobId]);
    expect(waited.status).toBe(0);
    expect(pairsOf(waited.stdout)).toMatchObject({ job_id: jobId, type: "exec", state: "completed", attempt: "1" });
    const { value, status } = await folder.json(["jobs", "status", "--id", jobId]);
    expect(status).toBe(0);
    expect(value).toMatchObject({
      job_id: jobId,
      type: "exec",
      state: "completed",
      outcome: null,
      run: 1,
      attempt: 1,
      priority: 3,
      metadata: { batch: "7" },
      started_at: expect.stringMatching(TIME),
      ended_at: expect.stringMatching(TIME),
      error: null,
      result: expect.objectContaining({ exit_code: 0 }),
    });
    const list = await folder.call([
      "jobs",
      "list",
      "--metadata",
      "batch=7",
      "--state",
      "completed",
      "--type",
      "exec",
      "--since",
      "1h",
    ]);
    expect(list.stdout).toBe(`job_id=${jobId} state=completed type=exec queued_at=${value["queued_at"]}\n`);
  });

  test("the verdicts of several jobs make the largest status", async () => {
    const good = await enqueue("--", "true");
    const bad = await enqueue("--", "false");
    const slow = await enqueue("--timeout", "200ms", "--", "sleep", "30");
    expect((await folder.call(["jobs", "wait", good])).status).toBe(0);
    const { status, value } = await folder.json<{ jobs: { job_id: string; state: string }[] }>([
      "jobs",
      "wait",
      good,
      bad,
      slow,
    ]);
    expect({ status, states: value.jobs.map(({ state }) => state) }).toEqual({
      status: 4,
      states: ["completed", "failed", "failed"],
    });
    expect(value).toMatchObject({ code: "TIMEOUT" });
    expect((await folder.call(["jobs", "status", bad])).status).toBe(0);
    expect((await folder.call(["jobs", "status", bad, "--watch"])).status).toBe(1);
  });

  test("who waits no longer gets 4 while the job goes on; a cancel ends it, once", async () => {
    const jobId = await enqueue("--", "sleep", "30");
    for (const args of [
      ["jobs", "wait", jobId, "--wait", "200ms"],
      ["jobs", "status", jobId, "--watch", "--wait", "200ms"],
    ]) {
      const { status, stdout } = await folder.call(args);
      expect({ status, state: pairsOf(stdout.trim().split("\n").at(-1) ?? "")["state"] }).toEqual({
        status: 4,
        state: "running",
      });
    }
    expect(await folder.json(["jobs", "cancel", jobId])).toMatchObject({
      status: 0,
      value: { job_id: jobId, state: "cancelled", error: null },
    });
    const again = await folder.json(["jobs", "cancel", jobId]);
    expect(again).toMatchObject({ status: 1, value: { job_id: jobId, state: "cancelled", code: "JOB_FINISHED" } });
    expect(again.value["error"]).toMatch(/^JOB_FINISHED: /);
  });

  test("a job that does not stop stays running after ten seconds, with status 4", async () => {
    const until = join(folder.path, "deaf-go");
    const { stdout } = await folder.call([
      "jobs",
      "enqueue",
      "--type",
      "app.deaf",
      "--until",
      until,
      "--priority",
      "3",
    ]);
    const jobId = pairsOf(stdout)["job_id"] ?? "";
    const logs = folder.start(["jobs", "logs", "-f", jobId]);
    await logs.says("job.claimed");
    const cancelled = await folder.call(["jobs", "cancel", jobId]);
    expect({ status: cancelled.status, stdout: cancelled.stdout }).toEqual({
      status: 4,
      stdout: expect.stringContaining(`job_id=${jobId} state=running cancel_requested=true `),
    });
    writeFileSync(until, "");
    expect((await logs.ended).stdout).toContain("event=cancel.requested");
  });

  test("--watch prints a line for each change and ends with the verdict; a published type has its own flags", async () => {
    const hold = join(folder.path, "steps-go");
    const args = ["jobs", "enqueue", "--type", "app.steps", "--count", "3", "--hold", hold, "--watch"];
    const watching = folder.start(args);
    await watching.says("step 1");
    writeFileSync(hold, "");
    const { status, stdout } = await watching.ended;
    expect(status).toBe(0);
    const lines = stdout.trim().split("\n").map(pairsOf);
    expect(lines.at(0)).toMatchObject({ state: expect.stringMatching(/queued|running/), trace_id: expect.anything() });
    expect(lines.map(({ progress = "" }) => progress)).toContain('{"done":1,"total":3,"message":"step 1"}');
    expect(lines.at(-1)).toMatchObject({ state: "completed", result: '{"count":3}' });
    expect(await folder.json(["jobs", "enqueue", "--type", "app.steps", "--count", "0"])).toMatchObject({
      status: 2,
      value: { code: "INVALID_INPUT", error: expect.stringContaining("input.count") },
    });
    const help = await folder.call(["jobs", "enqueue", "--type", "app.steps", "--help"]);
    expect(help.stdout).toMatch(/Flags of the job type:\n +--count N +How many\./);
  });

  test("many jobs from a file go in at once; flags say what a line does not", async () => {
    const lines = [1, 2, 3].map((count) => JSON.stringify({ type: "app.steps", input: { count } }));
    const stdin = [...lines, '{"input":{"argv":["true"]},"metadata":{"own":"yes"}}'].join("\n");
    const { status, value } = await folder.json<{ jobs: { job_id: string }[] }>(
      ["jobs", "enqueue", "--type", "exec", "--from-file", "-", "--metadata", "from=file"],
      { stdin },
    );
    expect({ status, jobs: value.jobs.length }).toEqual({ status: 0, jobs: 4 });
    expect((await folder.call(["jobs", "list", "--metadata", "from=file"])).stdout.trim().split("\n")).toHaveLength(3);
    expect((await folder.call(["jobs", "wait", ...value.jobs.map(({ job_id }) => job_id)])).status).toBe(0);
  });

  test("logs show the history and the output, and follow a job that runs", async () => {
    const go = join(folder.path, "logs-go");
    const jobId = await enqueue("--", "sh", "-c", `echo one; while [ ! -e ${go} ]; do sleep 0.05; done; echo two >&2`);
    const logs = folder.start(["jobs", "logs", "-f", jobId]);
    await logs.says("stream=stdout text=one\n");
    writeFileSync(go, "");
    const { status, stdout } = await logs.ended;
    expect(status).toBe(0);
    const lines = stdout.trim().split("\n").map(pairsOf);
    expect(lines.filter(({ event }) => event !== undefined).map(({ event }) => event)).toEqual([
      "job.queued",
      "job.claimed",
      "job.completed",
    ]);
    expect(lines.filter(({ stream }) => stream !== undefined)).toEqual([
      { stream: "stdout", text: "one" },
      { stream: "stderr", text: "two" },
    ]);
    const { value } = await folder.json(["jobs", "logs", jobId]);
    expect(value).toMatchObject({
      state: "completed",
      output: [
        { stream: "stdout", bytes: 4, text: "one\n" },
        { stream: "stderr", bytes: 4, text: "two\n" },
      ],
    });
  });

  test("logs say why a job failed as every other line does", async () => {
    const { value } = await folder.json<{ job_id: string }>(["run", "exec", "--", "sh", "-c", "exit 7"]);
    const logs = await folder.call(["jobs", "logs", value.job_id]);
    expect(logs.stdout).toContain('event=job.failed attempt=1 error="EXIT_NONZERO: the program exited with code 7"\n');
  });

  test("logs write the moments among the facts as all other times", async () => {
    const { value } = await folder.json<{ job_id: string }>(["run", "exec", "--", "false"]);
    expect((await folder.call(["jobs", "retry", value.job_id])).status).toBe(0);
    const time = "\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z";
    expect((await folder.call(["jobs", "logs", value.job_id])).stdout).toMatch(
      new RegExp(`event=run\\.started .*due_before=${time}\n`),
    );
    const later = await enqueue("--delay", "1h", "--", "true");
    const { value: logs } = await folder.json<{ history: unknown[] }>(["jobs", "logs", later]);
    expect(logs.history).toMatchObject([
      { event: "job.scheduled", data: { due_at: expect.stringMatching(new RegExp(`^${time}$`)) } },
    ]);
    expect((await folder.call(["jobs", "cancel", later])).status).toBe(0);
  });

  test("output of a running job that refers to secrets is shown only to who can mask them", async () => {
    const go = join(folder.path, "secret-go");
    const env = { WINDLASS_EXEC_SECRETS: "TOKEN" };
    const script = `echo "token $A"; while [ ! -e ${go} ]; do sleep 0.05; done`;
    const { stdout } = await folder.call(
      ["jobs", "enqueue", "--type", "exec", "--env", 'A={"$secret":"TOKEN"}', "--", "sh", "-c", script],
      { env },
    );
    const jobId = pairsOf(stdout)["job_id"] ?? "";
    const knowing = folder.start(["jobs", "logs", "-f", jobId], { env: { TOKEN: "hunter2-hunter2" } });
    await knowing.says('text="token ***"');
    const blind = await folder.call(["jobs", "logs", jobId]);
    expect(blind.stdout).not.toContain("stream=stdout");
    expect(blind.stderr).toContain("it is shown when the job has ended");
    const following = folder.start(["jobs", "logs", "-f", jobId]);
    await following.says("it is shown when the job has ended");
    writeFileSync(go, "");
    for (const finished of [await knowing.ended, await following.ended, await folder.call(["jobs", "logs", jobId])]) {
      expect(finished.stdout.match(/text="token \*\*\*"/g)).toHaveLength(1);
      expect(finished.stdout + finished.stderr).not.toContain("hunter2");
    }
  });

  test("artifacts are listed, fetched and verified; one that is gone or damaged is told", async () => {
    const jobId = await enqueue("--", "echo", "evidence");
    await folder.call(["jobs", "wait", jobId]);
    const { value } = await folder.json<{ root: string; artifacts: { path: string; sha256: string }[] }>([
      "artifacts",
      "list",
      jobId,
    ]);
    expect(value).toMatchObject({
      job_id: jobId,
      artifacts: [
        { path: "exec/exit_code.txt" },
        { path: "exec/stderr.txt" },
        {
          type: "text/plain",
          path: "exec/stdout.txt",
          size_bytes: 9,
          sha256: createHash("sha256").update("evidence\n").digest("hex"),
        },
      ],
    });
    const fetched = await folder.json(["artifacts", "fetch", jobId, "--out", "evidence"]);
    const outDir = join(folder.path, "evidence", jobId);
    expect(fetched).toMatchObject({
      status: 0,
      value: { job_id: jobId, out_dir: outDir, state: "completed", error: null },
    });
    expect(fetched.value["files"]).toHaveLength(3);
    expect(readFileSync(join(outDir, "exec/stdout.txt"), "utf8")).toBe("evidence\n");
    expect((await folder.call(["artifacts", "open", "--job", jobId])).stdout).toContain(
      join(value.root, "exec/stdout.txt"),
    );

    rmSync(join(value.root, "exec/stderr.txt"));
    const partial = await folder.call(["artifacts", "fetch", jobId, "--out", "again"]);
    expect({ status: partial.status, ...pairsOf(partial.stdout) }).toMatchObject({
      status: 1,
      state: "partial",
      files: "2",
    });
    writeFileSync(join(value.root, "exec/stdout.txt"), "forged!!\n");
    const damaged = await folder.json(["artifacts", "fetch", jobId, "--out", "again"]);
    expect(damaged).toMatchObject({
      status: 1,
      value: { code: "ARTIFACT_DAMAGED", error: expect.stringContaining("exec/stdout.txt") },
    });
    // What was verified before is still there, and nothing that was not.
    expect(readFileSync(join(folder.path, "again", jobId, "exec/stdout.txt"), "utf8")).toBe("evidence\n");
  });

  test("a finished job is started over as its next run; explain and stats say what there is", async () => {
    const jobId = await enqueue("--", "sh", "-c", "echo run");
    await folder.call(["jobs", "wait", jobId]);
    expect((await folder.json(["jobs", "explain", jobId])).value).toMatchObject({
      state: "completed",
      reason: "finished",
    });
    expect(await folder.json(["jobs", "retry", jobId])).toMatchObject({ status: 0, value: { job_id: jobId, run: 2 } });
    await folder.call(["jobs", "wait", jobId]);
    expect((await folder.json(["jobs", "status", jobId])).value).toMatchObject({ run: 2, state: "completed" });
    const sleeping = await enqueue("--delay", "1h", "--", "true");
    expect(await folder.json(["jobs", "retry", sleeping])).toMatchObject({
      status: 1,
      value: { code: "JOB_NOT_FINISHED", state: "scheduled" },
    });
    expect((await folder.call(["jobs", "explain", sleeping])).stdout).toContain("reason=future");
    expect((await folder.call(["jobs", "stats"])).stdout).toContain("type=exec state=scheduled count=1\n");
  });

  test("nobody serves what is required: enqueue says so and what to type", async () => {
    const other = new CliFolder();
    await using _ = other;
    const { status, stderr } = await other.call(["--db", "jobs.db", "jobs", "enqueue", "--type", "exec", "--", "true"]);
    expect(status).toBe(0);
    expect(pairsOf(stderr)).toMatchObject({ level: "warn", op: "jobs.enqueue" });
    expect(stderr).toContain(`no live worker serves exec`);
    expect(stderr).toContain(`windlass worker --db ${join(other.path, "jobs.db")}`);
  });

  test("jobs run still works and says what it is called now", async () => {
    const { status, stdout, stderr } = await folder.call(["jobs", "run", "--type", "exec", "--", "true"]);
    expect({ status, state: pairsOf(stdout.trim().split("\n").at(-1) ?? "")["state"] }).toEqual({
      status: 0,
      state: "completed",
    });
    expect(stderr).toContain("jobs run is deprecated");
  });

  test("an agent may look, and its name comes from the environment of whoever started it", async () => {
    const env = { WINDLASS_ACTOR: "agent:codex" };
    expect((await folder.call(["jobs", "list", "--limit", "1"], { env })).status).toBe(0);
    expect(await folder.json(["jobs", "enqueue", "--type", "exec", "--", "true"], { env })).toMatchObject({
      status: 1,
      value: { code: "POLICY_DENIED" },
    });
  });
});

test("the worker tells each move, and ends cleanly on TERM", async () => {
  const jobId = await enqueue("--", "true");
  await folder.call(["jobs", "wait", jobId]);
  worker.kill("SIGTERM");
  const { status, stdout, stderr } = await worker.ended;
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  const moves = stderr
    .split("\n")
    .filter((line) => line.includes(jobId))
    .map(pairsOf);
  expect(moves).toMatchObject([
    {
      level: "info",
      component: "engine",
      op: "exec",
      msg: "job claimed",
      attempt: "1",
      retries_left: "3",
      final: "false",
    },
    {
      level: "info",
      component: "engine",
      op: "exec",
      msg: "job completed",
      attempt: "1",
      final: "true",
      duration_ms: expect.stringMatching(/^\d+$/),
    },
  ]);
  expect(pairsOf(stderr.split("\n")[0] ?? "")).toMatchObject({
    msg: "worker started",
    database: join(folder.path, ".windlass/windlass.db"),
  });
});
