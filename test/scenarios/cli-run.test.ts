import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

const JOBS = `
import { z } from "${new URL("../../node_modules/zod/index.js", import.meta.url).href}";
import { defineJob } from "${new URL("../../src/job/definition.ts", import.meta.url).href}";
export const hello = defineJob({
  name: "app.hello",
  input: z.strictObject({ name: z.string(), fail_first: z.boolean().optional() }),
  backoff: { first: "1ms" },
  run: async ({ name, fail_first }, ctx) => {
    ctx.log.info("greeting", { name });
    if (fail_first && ctx.attempt === 1) throw new Error("not yet");
    return { text: "hello " + name };
  },
});
export const deaf = defineJob({
  name: "app.deaf",
  input: z.strictObject({}),
  retries: 0,
  run: () => new Promise(() => setInterval(() => {}, 10)),
});
`;

let folder: CliFolder;
beforeAll(() => {
  folder = new CliFolder();
  folder.write("jobs.ts", JOBS);
});
afterAll(() => folder[Symbol.asyncDispose]());

describe.concurrent("run", () => {
  test("a handler that does not listen keeps neither its slot nor the process", async () => {
    const left = await folder.call(["run", "app.deaf", "--jobs", "jobs.ts", "--timeout", "100ms"], {
      env: { WINDLASS_WORKER_KILL_GRACE: "0s" },
    });
    expect(left).toMatchObject({ status: 4, signal: null });
    expect(left.stderr).toContain("TIMEOUT");
  });

  test("prints the program's output as it is, and nothing else there", async () => {
    const script = "printf 'out\\377\\000\\n'; printf 'err\\n' >&2; pwd";
    const child = await folder.call(["run", "exec", "--quiet", "--", "sh", "-c", "true"]);
    expect(child).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const { status, stdout, stderr } = await folder.call(["run", "exec", "--", "sh", "-c", script]);
    expect(status).toBe(0);
    expect(stdout).toBe(`out\ufffd\u0000\n${realpathSync(folder.path)}\n`);
    expect(stderr).toContain("err\n");
    expect(pairsOf(stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({ msg: "job completed", state: "completed" });
  });

  test("loses and doubles no byte of much output, which its artifacts hold too", async () => {
    const script = "i=0; while [ $i -lt 20000 ]; do echo line $i of many; i=$((i+1)); done";
    const expected = Array.from({ length: 20_000 }, (_, index) => `line ${index} of many\n`).join("");
    const { status, stdout, stderr } = await folder.call(["run", "exec", "--", "sh", "-c", script]);
    expect(status).toBe(0);
    expect(stdout === expected).toBe(true);
    const { job_id = "" } = pairsOf(stderr);
    const { value } = await folder.json<{ artifacts: { path: string; sha256: string }[] }>([
      "artifacts",
      "list",
      job_id,
    ]);
    const sha256 = createHash("sha256").update(expected).digest("hex");
    expect(value.artifacts).toContainEqual(expect.objectContaining({ path: "exec/stdout.txt", sha256 }));
  });

  test("output comes while the program runs", async () => {
    const running = folder.start([
      "run",
      "exec",
      "--",
      "sh",
      "-c",
      `echo first; while [ ! -e ${folder.path}/go ]; do sleep 0.05; done; echo last`,
    ]);
    await running.says("first\n");
    expect(running.stdout).toBe("first\n");
    folder.write("go", "");
    expect(await running.ended).toMatchObject({ status: 0, stdout: "first\nlast\n" });
  });

  test.each<[string, readonly string[], number, string]>([
    ["a program that fails", ["--", "sh", "-c", "echo bad >&2; exit 3"], 1, "EXIT_NONZERO"],
    ["a program that is not there", ["--", "no-such-program-here"], 1, "PROGRAM_NOT_STARTED"],
    ["a program that runs too long", ["--timeout", "300ms", "--", "sleep", "30"], 4, "TIMEOUT"],
    ["a job whose deadline passes", ["--deadline", "300ms", "--", "sleep", "30"], 4, "DEADLINE_EXCEEDED"],
  ])("%s gives its verdict", async (_, args, status, code) => {
    const finished = await folder.json(["run", "exec", ...args]);
    expect(finished.status).toBe(status);
    expect(finished.value).toMatchObject({
      code,
      error: expect.stringMatching(new RegExp(`^${code}: `)),
      state: "failed",
    });
  });

  test("of any other type the result is the output, and what the handler logs passes through", async () => {
    const { status, stdout, stderr } = await folder.call(["run", "app.hello", "--jobs", "jobs.ts", "--name", "bob"]);
    expect(status).toBe(0);
    expect(pairsOf(stdout)).toMatchObject({ state: "completed", result: '{"text":"hello bob"}' });
    expect(stderr).toContain("component=job op=app.hello msg=greeting name=bob\n");
  });

  test("an attempt that fails and is tried again is told; the output of both passes through", async () => {
    const { status, stderr } = await folder.call([
      "run",
      "app.hello",
      "--jobs",
      "jobs.ts",
      "--name",
      "bob",
      "--fail-first",
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain('msg="attempt failed, another follows"');
    expect(stderr.match(/msg=greeting/g)).toHaveLength(2);
  });

  test("labels that the job requires must be offered", async () => {
    const args = ["run", "exec", "--requires", "site=lab1"];
    const refused = await folder.json([...args, "--", "true"]);
    expect(refused).toMatchObject({ status: 2, value: { code: "INVALID_INPUT" } });
    expect(refused.value["error"]).toContain("add --label site=lab1");
    expect(await folder.call([...args, "--label", "site=lab1", "--", "true"])).toMatchObject({ status: 0 });
  });

  test("with a key that is held the first job is shown and nothing runs twice", async () => {
    const args = ["run", "exec", "--idempotency-key", "once", "--", "sh", "-c", "echo ran >> ran.txt; echo told"];
    expect(await folder.call(args)).toMatchObject({ status: 0, stdout: "told\n" });
    expect(await folder.call(args)).toMatchObject({ status: 0, stdout: "told\n" });
    expect(readFileSync(join(folder.path, "ran.txt"), "utf8")).toBe("ran\n");
  });

  test("secrets are masked in what passes through and in what is kept", async () => {
    const env = { WINDLASS_EXEC_SECRETS: "TOKEN", TOKEN: "hunter2-hunter2" };
    const args = [
      "run",
      "exec",
      "--env",
      'A={"$secret":"TOKEN"}',
      "--",
      "sh",
      "-c",
      "echo a $A; printf %s $A | base64",
    ];
    const { status, stdout, stderr } = await folder.call(args, { env });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^a \*\*\*\n\*\*\*/) });
    const logs = await folder.call(["jobs", "logs", pairsOf(stderr)["job_id"] ?? ""]);
    expect(logs.stdout).toContain('stream=stdout text="a ***"');
    expect(stdout + stderr + logs.stdout + logs.stderr).not.toContain("hunter2");
  });

  test("a secret that is not set fails the job by name", async () => {
    const env = { WINDLASS_EXEC_SECRETS: "TOKEN" };
    const { status, value } = await folder.json(["run", "exec", "--env", 'A={"$secret":"TOKEN"}', "--", "env"], {
      env,
    });
    expect({ status, code: value["code"] }).toEqual({ status: 1, code: "SECRET_UNAVAILABLE" });
    expect(value["error"]).toContain("TOKEN is not set");
  });

  test.each(["SIGINT", "SIGTERM"] as const)("the first %s cancels the job", async (signal) => {
    const running = folder.start(["run", "exec", "--", "sh", "-c", "echo up; sleep 60"]);
    await running.says("up\n");
    running.kill(signal);
    const { status, stderr } = await running.ended;
    expect(status).toBe(1);
    const jobId = pairsOf(stderr)["job_id"] ?? "";
    expect((await folder.json(["jobs", "status", jobId])).value).toMatchObject({ state: "cancelled" });
  });

  test("the second signal leaves at once, and the program goes on without a worker", async () => {
    const running = folder.start(["run", "exec", "--", "sh", "-c", "trap '' TERM; echo up; sleep 3"]);
    await running.says("up\n");
    running.kill("SIGINT");
    await running.says("cancelling the job");
    running.kill("SIGINT");
    expect((await running.ended).status).toBe(130);
  });

  test("a reader that goes away cancels the job, as it would end a program", async () => {
    const running = folder.start(["run", "exec", "--", "yes"]);
    await running.says("y\ny\n");
    running.closeStdout();
    const { status, stderr } = await running.ended;
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("CANCELLED") });
  });
});
