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
  full.write("empty.ndjson", '{"type":"exec"}\n');
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
  ["a value twice", ["jobs", "list", "--type", "a", "--type", "b"], 2, "USAGE", "--type is given more than once"],
  ["a type twice", ["jobs", "enqueue", "--type", "a", "--type", "b"], 2, "USAGE", "--type is given more than once"],
  ["a config file twice", ["--config", "a", "--config", "b", "jobs"], 2, "USAGE", "--config is given more than once"],
  ["a job type as a command", ["http.request"], 2, "USAGE", "`windlass run http.request`"],
  [
    "a state beside --pending",
    ["approvals", "list", "--pending", "--state", "all"],
    2,
    "USAGE",
    "give --state all alone",
  ],
  ["no machine to watch", ["supervisor", "run", "--once"], 2, "CONFIG", "no Windows machine is configured"],
  [
    "--config after the subcommand",
    ["jobs", "list", "--config", "x.yaml"],
    2,
    "USAGE",
    "windlass --config PATH jobs list",
  ],
  ["an empty word", [""], 2, "USAGE", 'there is no command ""; `windlass --help` lists them'],
  ["no command", [], 2, "USAGE", "there is no command; `windlass --help` lists them"],
  ["a group without its command", ["jobs"], 2, "USAGE", "there is no command behind jobs; `windlass jobs --help`"],
  ["a command behind --", ["--", "jobs", "list"], 2, "USAGE", "there is no command"],
  ["a flag alone", ["--db"], 2, "USAGE", "USAGE: --db needs a value"],
  ["an empty --db", ["--db", "", "jobs", "list"], 2, "CONFIG", 'database.path must be a path, not "" (flag --db)'],
  ["an empty --config", ["--config=", "jobs", "list"], 2, "CONFIG", "--config names no file"],
  ["an empty --actor", ["--actor", "", "jobs", "list"], 2, "USAGE", "write kind:name, such as agent:codex"],
  ["a program without --", ["run", "exec", "echo", "hi"], 2, "USAGE", "behind --: `windlass run exec -- echo hi`"],
  ["a program in the place of the type", ["run", "--", "echo"], 2, "USAGE", "run needs <type>"],
  ["an empty program", ["run", "exec", "--", ""], 2, "INVALID_INPUT", "needs the name of a program first"],
  ["argv twice", ["run", "exec", "--argv", "echo", "--", "hi"], 2, "USAGE", "by --argv or behind --, not both"],
  ["words behind -- of a command that takes none", ["jobs", "list", "--", "x"], 2, "USAGE", "nothing may follow --"],
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
  ["a number out of range", ["jobs", "list", "--limit", "0"], 2, "USAGE", "limit must be at least 1, not 0"],
  [
    "a number far out of range",
    enqueue("--priority", "99999999999999999999", "--", "true"),
    2,
    "USAGE",
    "priority must be",
  ],
  ["a fraction", enqueue("--retries", "1.5", "--", "true"), 2, "USAGE", "retries must be a whole number, not 1.5"],
  ["a negative number", ["artifacts", "gc", "--days", "-1"], 2, "USAGE", "days must be at least 0, not -1"],
  [
    "an unknown state",
    ["jobs", "list", "--state", "done"],
    2,
    "USAGE",
    'state must be one of scheduled, queued, running, waiting, completed, failed, cancelled, expired, not "done"',
  ],
  ["an unknown rule of crashes", enqueue("--after-crash", "maybe", "--", "true"), 2, "USAGE", "rerun, check, stop"],
  ["an empty text", ["artifacts", "fetch", ID, "--out", ""], 2, "USAGE", "out must not be empty"],
  ["a cursor that no page printed", ["jobs", "list", "--cursor", "x"], 2, "INVALID_INPUT", "cursor"],
  ["a bad duration of a list", ["jobs", "list", "--since", "soon"], 2, "INVALID_DURATION", "since"],
  ["a bad delay", enqueue("--delay", "0s", "--", "true"), 2, "INVALID_DURATION", "delay"],
  ["a negative delay", enqueue("--delay", "-5s", "--", "true"), 2, "INVALID_DURATION", '"-5s" is not a duration'],
  ["a delay without a unit", enqueue("--delay", "100", "--", "true"), 2, "INVALID_DURATION", "such as 250ms, 10m"],
  ["a delay beyond a year", enqueue("--delay", "367d", "--", "true"), 2, "INVALID_DURATION", "1ms to 366d"],
  ["a huge duration", enqueue("--timeout", "99999999999999999999d", "--", "true"), 2, "INVALID_DURATION", "1ms to 1d"],
  ["a wait of nothing", ["jobs", "status", ID, "--watch", "--wait", "0s"], 2, "INVALID_DURATION", "--wait"],
  [
    "a day that does not exist",
    enqueue("--run-at", "2026-02-30T00:00:00Z", "--", "true"),
    2,
    "INVALID_INPUT",
    "run_at",
  ],
  [
    "two times",
    enqueue("--delay", "1s", "--run-at", "2027-01-01T00:00:00Z", "--", "true"),
    2,
    "INVALID_INPUT",
    "run_at",
  ],
  ["a trace with a space", enqueue("--trace-id", "a b", "--", "true"), 2, "INVALID_INPUT", "trace_id"],
  ["an empty key", enqueue("--idempotency-key", "", "--", "true"), 2, "INVALID_INPUT", "idempotency_key"],
  ["a bad timeout", enqueue("--timeout", "48h", "--", "true"), 2, "INVALID_DURATION", "timeout of exec"],
  ["a bad time", enqueue("--run-at", "tomorrow", "--", "true"), 2, "INVALID_INPUT", "run_at"],
  ["a time without a zone", enqueue("--run-at", "2026-11-21T18:00:00", "--", "true"), 2, "INVALID_INPUT", "run_at"],
  ["more retries than the type allows", enqueue("--retries", "50", "--", "true"), 2, "INVALID_INPUT", "retries is 50"],
  ["an unknown type", ["jobs", "enqueue", "--type", "exce", "--", "true"], 2, "UNKNOWN_JOB_TYPE", "did you mean exec?"],
  ["no type", ["jobs", "enqueue"], 2, "USAGE", "needs --type"],
  ["no argv", enqueue(), 2, "INVALID_INPUT", "input.argv: is missing; on a command line the program stands behind --"],
  ["an empty folder to run in", enqueue("--cwd", "", "--", "true"), 2, "INVALID_INPUT", "input.cwd"],
  ["a bad name of a variable", enqueue("--env", "1A=b", "--", "env"), 2, "INVALID_INPUT", "input.env.1A"],
  ["a bad choice of a type", enqueue("--orphan", "x", "--", "true"), 2, "INVALID_INPUT", "must be one of adopt, kill"],
  ["no URL", ["jobs", "enqueue", "--type", "http.request"], 2, "INVALID_INPUT", "input.url: is missing"],
  [
    "a method that there is not",
    ["jobs", "enqueue", "--type", "http.request", "--method", "FETCH", "--url", "http://x/"],
    2,
    "INVALID_INPUT",
    "input.method: must be one of GET, HEAD,",
  ],
  [
    "a secret in a URL",
    ["jobs", "enqueue", "--type", "http.request", "--input-json", '{"url":{"$secret":"TOKEN"}}'],
    2,
    "INVALID_INPUT",
    "takes no $secret",
  ],
  ["input that is a list", enqueue("--input-json", "[]"), 2, "INVALID_INPUT", "input: must be an object"],
  ["input from a file that is not there", enqueue("--input-json", "@none.json"), 2, "USAGE", "cannot be read (ENOENT)"],
  ["input from a folder", enqueue("--input-json", "@."), 2, "USAGE", "cannot be read (EISDIR)"],
  ["input from nothing", enqueue("--input-json", "-"), 2, "USAGE", "--input-json is not JSON"],
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
    "has no field cdw; did you mean cwd?",
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
    "a line without an input",
    ["jobs", "enqueue", "--from-file", "empty.ndjson"],
    2,
    "INVALID_INPUT",
    "line 1: exec: input.argv: is missing",
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
    "a backup that is not there",
    ["db", "restore", "none.db"],
    2,
    "DATABASE_MISSING",
    "none.db; name one that there is",
  ],
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
  ["a device in the place of the database", ["--db", "/dev/null", "jobs", "list"], 2, "DATABASE_FOREIGN", "a device"],
  [
    "a job file that is not there",
    enqueue("--jobs", "none.ts", "--", "true"),
    2,
    "INVALID_DEFINITION",
    "none.ts does not exist; look at --jobs",
  ],
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
  ["a format that there is not", ["queue-metrics", "--format", "xml"], 2, "USAGE", "format must be one of text, json"],
  ["an empty statement", ["db", "shell", ""], 2, "USAGE", "must not be empty"],
  [
    "a schedule's overlap that there is not",
    ["schedules", "add", "x", "--cron", "0 * * * *", "--overlap", "no", "--type", "exec", "--", "true"],
    2,
    "USAGE",
    "overlap must be one of skip, allow, cancel-previous",
  ],
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

test("a failing command with --json has the code and the error, also where it has an answer", async () => {
  const { value: queued } = await full.json(enqueue("--delay", "1h", "--", "true"));
  const id = String(queued["job_id"]);
  for (const [args, status, code] of [
    [["jobs", "status", id, "--watch", "--wait", "50ms"], 4, "WAIT_TIMEOUT"],
    [["jobs", "wait", id, "--wait", "50ms"], 4, "WAIT_TIMEOUT"],
    [["doctor", "--strict"], 1, "CHECK_FAILED"],
  ] as const) {
    const { value, stderr, ...finished } = await full.json(args);
    expect({ status: finished.status, code: value["code"] }).toEqual({ status, code });
    expect(value["error"]).toMatch(new RegExp(`^${code}: .`));
    // Who sees the job alone does not know why the command failed.
    if (code === "WAIT_TIMEOUT") expect(stderr).toContain(`msg="gave up waiting" job_id=${id} err="WAIT_TIMEOUT: `);
  }
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
