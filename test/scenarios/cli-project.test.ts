import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

let folder: CliFolder;
beforeAll(() => {
  folder = new CliFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describe.concurrent("the program", () => {
  test("says its version and commit", async () => {
    const { status, stdout } = await folder.call(["version"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^version=\d+\.\d+\.\d+ commit=([0-9a-f]{40}|unknown)\n$/);
    expect((await folder.call(["--version"])).stdout).toBe(stdout);
  });

  test("shows every command, flag and variable that there is", async () => {
    const { status, stdout } = await folder.call(["--help"]);
    expect(status).toBe(0);
    for (const part of ["jobs enqueue", "--config PATH", "WINDLASS_DB", "HATCHET_CLIENT_TOKEN", "Exit status:"])
      expect(stdout).toContain(part);
    const group = await folder.call(["schedules", "--help"]);
    expect(group.stdout).toContain("schedules add");
    expect(group.stdout).not.toContain("jobs list");
    expect((await folder.call(["help", "jobs", "list"])).stdout).toMatch(/--limit N .*\(default: 100\)/);
    expect((await folder.call(["worker", "--help"])).stdout).toMatch(
      /--concurrency N .*default: 5; environment: WINDLASS_WORKER_CONCURRENCY/,
    );
    expect((await folder.call(["run", "exec", "--help"])).stdout).toMatch(/Flags of the job type:\n +--argv TEXT/);
    expect(await folder.call(["jobs"])).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("jobs enqueue"),
    });
  });

  test("completes itself in three shells", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { status, stdout } = await folder.call(["completion", shell]);
      expect(status).toBe(0);
      for (const word of ["win-automation", "enqueue", "idempotency-key"]) expect(stdout).toContain(word);
    }
  });

  test("a folder becomes a project once", async () => {
    const project = new CliFolder();
    await using _ = project;
    rmSync(join(project.path, ".windlass"), { recursive: true });
    const { status, value } = await project.json(["init"]);
    const config = join(project.path, ".windlass/config.yaml");
    expect({ status, value }).toEqual({
      status: 0,
      value: {
        config,
        policy: join(project.path, ".windlass/windlass.policy.yaml"),
        database: join(project.path, ".windlass/windlass.db"),
      },
    });
    const text = readFileSync(config, "utf8");
    expect(text.split("\n").filter((line) => line !== "" && !line.trimStart().startsWith("#"))).toEqual([]);
    expect((await project.call(["config", "show"])).status).toBe(0);
    const again = await project.call(["init"]);
    expect(again).toMatchObject({
      status: 2,
      stderr: `config error: ${config} exists and was left as it is; change it, or move it away first\n`,
    });
  });

  test("settings say where they come from; the flag wins over the environment, that over the file", async () => {
    folder.write("set.yaml", "worker: { concurrency: 2, grace: 5s }\n");
    const env = { WIN_AUTOMATION_WORKER_CONCURRENCY: "3", WINDLASS_HATCHET_TOKEN: "very-secret-token" };
    const { status, stdout } = await folder.call(
      ["--config", "set.yaml", "config", "show", "--origin", "--db", "x.db"],
      { env },
    );
    expect(status).toBe(0);
    const settings = new Map(
      stdout
        .trim()
        .split("\n")
        .map((line) => [pairsOf(line)["key"], pairsOf(line)]),
    );
    expect(settings.get("worker.concurrency")).toMatchObject({
      value: "3",
      origin: "environment WIN_AUTOMATION_WORKER_CONCURRENCY",
    });
    expect(settings.get("worker.grace")).toMatchObject({
      value: "5s",
      origin: `file ${join(folder.path, "set.yaml")}`,
    });
    expect(settings.get("database.path")).toMatchObject({ value: join(folder.path, "x.db"), origin: "flag --db" });
    expect(settings.get("hatchet.api_token")).toMatchObject({ value: "***" });
    expect(stdout).not.toContain("very-secret-token");
  });

  test("a schedule is added, shown, paused, resumed, triggered and deleted", async () => {
    const add = ["schedules", "add", "nightly", "--cron", "0 3 * * *", "--tz", "Europe/Berlin", "--type", "exec"];
    expect(pairsOf((await folder.call([...add, "--", "true"])).stdout)).toMatchObject({
      name: "nightly",
      change: "created",
    });
    expect(pairsOf((await folder.call([...add, "--", "true"])).stdout)).toMatchObject({ change: "unchanged" });
    expect(await folder.json([...add, "--", "false"])).toMatchObject({ status: 1, value: { code: "SCHEDULE_EXISTS" } });
    expect((await folder.json([...add, "--replace", "--", "false"])).value).toMatchObject({ change: "replaced" });
    const { value } = await folder.json(["schedules", "show", "nightly"]);
    expect(value).toMatchObject({
      name: "nightly",
      cron: "0 3 * * *",
      time_zone: "Europe/Berlin",
      type: "exec",
      input: { argv: ["false"] },
      overlap: "skip",
      catch_up: "once",
      state: "active",
    });
    expect((await folder.json(["schedules", "pause", "nightly"])).value).toMatchObject({
      state: "paused",
      next_at: null,
    });
    expect((await folder.json(["schedules", "resume", "nightly"])).value).toMatchObject({
      state: "active",
      next_at: value["next_at"],
    });
    const triggered = await folder.json(["schedules", "trigger", "nightly"]);
    expect(triggered).toMatchObject({ status: 0, value: { state: "queued", existing: false } });
    const { value: job } = await folder.json(["jobs", "status", String(triggered.value["job_id"])]);
    expect(job).toMatchObject({ type: "exec", actor: expect.stringMatching(/^unattended:/) });
    expect((await folder.call(["schedules", "list"])).stdout).toContain(`last_job_id=${job["job_id"]}`);
    expect((await folder.call(["schedules", "delete", "nightly"])).stdout).toBe("name=nightly state=deleted\n");
    expect(await folder.call(["schedules", "delete", "nightly"])).toMatchObject({
      status: 1,
      stdout: "name=nightly state=not_found\n",
    });
  });

  test("old artifacts are removed by their age", async () => {
    // A folder of its own: it would take away what the others here look at.
    const own = new CliFolder();
    await using _ = own;
    const { stderr } = await own.call(["run", "exec", "--", "true"]);
    const jobId = pairsOf(stderr)["job_id"] ?? "";
    expect((await own.call(["artifacts", "gc"])).stdout).toBe("removed=0 days=7\n");
    expect((await own.call(["artifacts", "list", jobId])).status).toBe(0);
    expect((await own.call(["artifacts", "gc", "--days", "0"])).stdout).toBe("removed=1 days=0\n");
    expect((await own.call(["artifacts", "list", jobId])).stdout).toContain("state=not_found");
  });

  test("a person gets tables and colour, errors in a short form, and no escape that came from a job", async (context) => {
    const help = await folder.onTerminal(["jobs", "--help"]);
    if (help === undefined) return context.skip("script is missing; install util-linux");
    expect(help).toContain("\u001b[1mCommands:\u001b[0m\n");
    const ran = await folder.onTerminal([
      "run",
      "exec",
      "--metadata",
      "on=terminal",
      "--",
      "printf",
      "a\u001b]0;title\u0007b\\n",
    ]);
    expect(ran).toContain("info\u001b[0m: job completed");
    const list = (await folder.onTerminal(["jobs", "list", "--metadata", "on=terminal"])) ?? "";
    expect(list).toContain("\u001b[32mcompleted\u001b[0m");
    const jobId = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(list)?.[0] ?? "";
    expect((await folder.json(["jobs", "status", jobId])).value).toMatchObject({
      actor: expect.stringMatching(/^person:/),
    });
    expect(await folder.onTerminal(["jobs", "logs", jobId])).toContain("a\\u001b]0;title\\u0007b\n");
    expect(await folder.onTerminal(["jobs", "lst"])).toBe(
      '\u001b[31mUSAGE\u001b[0m: there is no command "jobs lst"; did you mean `windlass jobs list`?\n',
    );
    expect(await folder.onTerminal(["jobs", "lst", "--no-color"])).toMatch(/^USAGE: there is no command/);
  });

  test("a reader that goes away is no error", async () => {
    const running = folder.start(["--help"]);
    running.closeStdout();
    expect(await running.ended).toMatchObject({ status: 0, stderr: "" });
  });
});
