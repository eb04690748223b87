import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder } from "../support/cli.ts";

const ID = "01933b5e-7c00-7000-8000-0123456789ab";

let folder: CliFolder;
let full: CliFolder;
beforeAll(async () => {
  folder = new CliFolder();
  full = new CliFolder();
  full.write("foreign.db", "this is no database of ours, and long enough to be looked at ".repeat(20));
  full.write("unreadable.yaml", "worker: [");
  full.write("unknown.yaml", "worker:\n  concurency: 3\n");
  full.write("jobs-broken.ts", "export const x = ;");
  full.write("jobs-empty.ts", "export const x = 1;");
  full.write("requests.ndjson", '{"type":"exec","input":{"argv":["true"]}}\n\n{"type":"exec","input":{"argv":[]}}\n');
  full.write("broken.ndjson", '{"type":"exec","input":{"argv":["true"]}}\n{"type"\n');
  await full.call(["jobs", "enqueue", "--type", "exec", "--idempotency-key", "k", "--", "true"]);
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
  await full[Symbol.asyncDispose]();
});

const enqueue = (...args: string[]): string[] => ["jobs", "enqueue", "--type", "exec", ...args];

/** Each: what is typed, the exit status, the code, and what the message says. */
const WRONG: readonly [name: string, args: readonly string[], status: number, code: string, part: string][] = [
  ["an unknown command", ["jobs", "lst"], 2, "USAGE", "did you mean `windlass jobs list`?"],
  ["an unknown flag", ["jobs", "list", "--limt", "3"], 2, "USAGE", "did you mean --limit?"],
  [
    "--config after the subcommand",
    ["jobs", "list", "--config", "x.yaml"],
    2,
    "USAGE",
    "windlass --config PATH jobs list",
  ],
  ["a word too many", ["jobs", "list", "x"], 2, "USAGE", '"x" is one word too many'],
  ["a missing id", ["jobs", "status"], 2, "USAGE", "jobs status needs <id>"],
  ["an id twice", ["jobs", "status", ID, "--id", ID], 2, "USAGE", "one word too many"],
  ["an id with a path in it", ["jobs", "status", "../../etc/passwd"], 2, "INVALID_ID", "is not a job id"],
  [
    "an artifact's id with a path in it",
    ["artifacts", "fetch", `../${ID}`, "--out", "x"],
    2,
    "INVALID_ID",
    "is not a job id",
  ],
  ["a number that is none", ["jobs", "list", "--limit", "many"], 2, "USAGE", "--limit takes a number"],
  ["a number out of range", ["jobs", "list", "--limit", "0"], 2, "USAGE", "limit"],
  ["an unknown state", ["jobs", "list", "--state", "done"], 2, "USAGE", "state"],
  ["a cursor that no page printed", ["jobs", "list", "--cursor", "x"], 2, "INVALID_INPUT", "cursor"],
  ["a bad duration of a list", ["jobs", "list", "--since", "soon"], 2, "INVALID_DURATION", "since"],
  ["a bad delay", enqueue("--delay", "0s", "--", "true"), 2, "INVALID_DURATION", "delay"],
  ["a bad timeout", enqueue("--timeout", "48h", "--", "true"), 2, "INVALID_DURATION", "timeout of exec"],
  ["a bad time", enqueue("--run-at", "tomorrow", "--", "true"), 2, "INVALID_INPUT", "run_at"],
  ["a time without a zone", enqueue("--run-at", "2026-11-21T18:00:00", "--", "true"), 2, "INVALID_INPUT", "run_at"],
  ["more retries than the type allows", enqueue("--retries", "50", "--", "true"), 2, "INVALID_INPUT", "retries is 50"],
  ["an unknown type", ["jobs", "enqueue", "--type", "exce", "--", "true"], 2, "UNKNOWN_JOB_TYPE", "did you mean exec?"],
  ["no type", ["jobs", "enqueue"], 2, "USAGE", "needs --type"],
  ["no argv", enqueue(), 2, "INVALID_INPUT", "input.argv"],
  [
    "a wrong input, its field named",
    enqueue("--input-json", '{"argv":["true"],"cwd":5}'),
    2,
    "INVALID_INPUT",
    "input.cwd",
  ],
  [
    "a field that the type does not have",
    enqueue("--input-json", '{"argv":["true"],"cdw":"x"}'),
    2,
    "INVALID_INPUT",
    "cdw",
  ],
  ["a flag that the type does not have", enqueue("--cdw", "x", "--", "true"), 2, "USAGE", "--cwd?"],
  ["input that is no JSON", enqueue("--input-json", "{"), 2, "USAGE", "--input-json is not JSON"],
  ["input said twice", enqueue("--input-json", "{}", "--", "true"), 2, "USAGE", "not both"],
  ["argv for a type that has none", ["jobs", "enqueue", "--type", "http.request", "--", "x"], 2, "USAGE", "no argv"],
  ["metadata without a value", enqueue("--metadata", "a", "--", "true"), 2, "USAGE", "--metadata takes key=value"],
  [
    "a secret in an argv",
    enqueue("--input-json", '{"argv":["echo",{"$secret":"TOKEN"}]}'),
    2,
    "INVALID_INPUT",
    "takes no $secret",
  ],
  [
    "a secret not in the list",
    enqueue("--env", 'A={"$secret":"TOKEN"}', "--", "env"),
    2,
    "INVALID_INPUT",
    "secret TOKEN is not one that exec may resolve",
  ],
  ["another input under a held key", enqueue("--idempotency-key", "k", "--", "false"), 1, "IDEMPOTENCY_CONFLICT", "k"],
  [
    "a bad line among many, named by its number",
    ["jobs", "enqueue", "--from-file", "requests.ndjson"],
    2,
    "INVALID_INPUT",
    "line 3: exec: input.argv",
  ],
  [
    "a line that is no JSON",
    ["jobs", "enqueue", "--from-file", "broken.ndjson"],
    2,
    "USAGE",
    "line 2 is not JSON; nothing was stored",
  ],
  [
    "a file of requests that is not there",
    ["jobs", "enqueue", "--from-file", "none.ndjson"],
    2,
    "USAGE",
    "cannot be read (ENOENT)",
  ],
  [
    "a bad cron line",
    ["schedules", "add", "x", "--cron", "61 * * * *", "--type", "exec", "--", "true"],
    2,
    "INVALID_CRON",
    "minute 61",
  ],
  [
    "an unknown time zone",
    ["schedules", "add", "x", "--cron", "0 * * * *", "--tz", "Mars/Base", "--type", "exec", "--", "true"],
    2,
    "INVALID_CRON",
    "Mars/Base",
  ],
  [
    "a schedule of an unknown type",
    ["schedules", "add", "x", "--cron", "0 * * * *", "--type", "nope"],
    2,
    "UNKNOWN_JOB_TYPE",
    "nope",
  ],
  [
    "a schedule with a wrong input",
    ["schedules", "add", "x", "--cron", "0 * * * *", "--type", "exec"],
    2,
    "INVALID_INPUT",
    "input.argv",
  ],
  [
    "a schedule with a bad name",
    ["schedules", "add", "a b", "--cron", "0 * * * *", "--type", "exec", "--", "true"],
    2,
    "USAGE",
    "name",
  ],
  ["a schedule that is not there", ["schedules", "pause", "none"], 1, "SCHEDULE_NOT_FOUND", "none"],
  ["an actor that is freer", ["--actor", "person:root", "jobs", "list"], 2, "USAGE", "can only make it stricter"],
  ["an actor of no kind", ["--actor", "robot:x", "jobs", "list"], 2, "USAGE", "kinds are"],
  [
    "an agent that would change something",
    ["--actor", "agent:codex", ...enqueue("--", "true")],
    1,
    "POLICY_DENIED",
    "agents-change-nothing",
  ],
  [
    "an agent that would cancel",
    ["--actor", "agent:codex", "jobs", "cancel", ID],
    1,
    "POLICY_DENIED",
    'operations: ["jobs.cancel"]',
  ],
  ["a file that is not our database", ["--db", "foreign.db", "jobs", "list"], 2, "DATABASE_FOREIGN", "foreign.db"],
  [
    "a missing database for a reading command",
    ["--db", "missing.db", "jobs", "list"],
    2,
    "DATABASE_MISSING",
    "missing.db",
  ],
  [
    "a folder in the place of the database",
    ["--db", ".windlass", "jobs", "list"],
    2,
    "DATABASE_FOREIGN",
    "is a folder",
  ],
  ["a job file that is not there", enqueue("--jobs", "none.ts", "--", "true"), 2, "INVALID_DEFINITION", "none.ts"],
  ["a job file that does not parse", ["worker", "--jobs", "jobs-broken.ts"], 2, "INVALID_DEFINITION", "jobs-broken.ts"],
  [
    "a job file without a job type",
    ["worker", "--jobs", "jobs-empty.ts"],
    2,
    "INVALID_DEFINITION",
    "exports no job type",
  ],
  ["a bad concurrency", ["worker", "--concurrency", "0"], 2, "CONFIG", "worker.concurrency"],
  [
    "a bad interval of metrics",
    ["worker", "--metrics", "--metrics-interval", "1ms"],
    2,
    "INVALID_DURATION",
    "--metrics-interval",
  ],
  [
    "a config file that is not there",
    ["--config", "none.yaml", "jobs", "list"],
    2,
    "CONFIG",
    "none.yaml does not exist",
  ],
  [
    "a config file that cannot be read",
    ["--config", "unreadable.yaml", "jobs", "list"],
    2,
    "CONFIG",
    "unreadable.yaml",
  ],
  ["an unknown key", ["--config", "unknown.yaml", "jobs", "list"], 2, "CONFIG", "the nearest is worker.concurrency"],
  ["a shell that has no script", ["completion", "bsh"], 2, "USAGE", "did you mean bash?"],
];

describe.concurrent("what is typed wrong says its code, what is wrong, and what to type", () => {
  test.each(WRONG)("%s", async (_, args, status, code, part) => {
    const { value, stderr, ...finished } = await full.json(args);
    expect({ status: finished.status, code: value["code"] }).toEqual({ status, code });
    expect(value["error"]).toMatch(new RegExp(`^${code}: `));
    expect(value["error"]).toContain(part);
    // The same on standard error: one line, which a config error has in its own form.
    const line = stderr.split("\n").find((text) => text.includes("level=error") || text.startsWith("config error: "));
    expect(line).toBeDefined();
    if (code === "CONFIG") expect(line).toBe(`config error: ${String(value["error"]).slice("CONFIG: ".length)}`);
  });
});

test("without --json the answer stands on standard error alone, in a line of the log", async () => {
  const { status, stdout, stderr } = await full.call(["jobs", "list", "--limt", "3"]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(
    /^ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z level=error component=cli op=jobs\.list msg="jobs\.list failed" err="USAGE: .*"\n$/,
  );
});

test("an input that is too large is refused before anything is stored", async () => {
  const env = { WINDLASS_JOB_VALUE_BYTES: "300000" };
  const stdin = JSON.stringify({ argv: ["echo", "x".repeat(300_000)] });
  const { status, value } = await full.json(enqueue("--input-json", "-"), { stdin, env });
  expect({ status, code: value["code"] }).toEqual({ status: 2, code: "TOO_LARGE" });
});

test("commands that only read create nothing, and a refused file is left as it was", async () => {
  for (const args of [
    ["jobs", "list"],
    ["jobs", "status", ID],
    ["schedules", "list"],
    ["artifacts", "list", ID],
  ]) {
    const { status, value } = await folder.json(args);
    expect({ status, code: value["code"] }).toEqual({ status: 2, code: "DATABASE_MISSING" });
  }
  expect(existsSync(join(folder.path, ".windlass/windlass.db"))).toBe(false);
  expect(readFileSync(join(full.path, "foreign.db"), "utf8")).toMatch(/^this is no database/);
});

test("a job and files that are not there are not_found, with status 1", async () => {
  for (const args of [
    ["jobs", "status", ID],
    ["jobs", "cancel", "--id", ID],
    ["jobs", "logs", ID],
    ["jobs", "explain", ID],
    ["jobs", "wait", ID],
    ["jobs", "retry", ID],
  ]) {
    const { status, stdout } = await full.call(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: `job_id=${ID} state=not_found\n` });
  }
  const { status, value } = await full.json(["artifacts", "list", "--job", ID]);
  expect({ status, value }).toMatchObject({
    status: 1,
    value: { job_id: ID, state: "not_found", code: "ARTIFACT_NOT_FOUND" },
  });
});
