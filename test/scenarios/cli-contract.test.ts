import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

let folder: CliFolder;
/** A job that has completed, with kept output. */
let done = "";
beforeAll(async () => {
  folder = new CliFolder();
  const { value } = await folder.json(["run", "exec", "--", "echo", "hi"]);
  done = String(value["job_id"]);
});
afterAll(() => folder[Symbol.asyncDispose]());

const enqueue = (...args: readonly string[]) =>
  folder.json(["jobs", "enqueue", "--type", "exec", ...args, "--", "true"]);

async function statusOf(id: unknown): Promise<Readonly<Record<string, unknown>>> {
  return (await folder.json(["jobs", "status", String(id)])).value;
}

describe.concurrent("flags of every command", () => {
  test("stand before or after its name, with a space or with =", async () => {
    const db = join(folder.path, "elsewhere.db");
    await folder.call(["--db", db, "jobs", "enqueue", "--type", "exec", "--delay", "1h", "--", "true"]);
    const expected = { status: 0, stdout: expect.stringContaining('"state":"scheduled"') };
    for (const args of [
      ["--db", db, "--json", "jobs", "list"],
      ["jobs", "list", "--db", db, "--json"],
      ["jobs", "--db", db, "list", "--json"],
      ["--json", "jobs", "list", `--db=${db}`],
      ["--db", "none.db", "jobs", "list", "--json", "--db", db],
    ])
      expect(await folder.call(args)).toMatchObject(expected);
    for (const args of [
      ["--actor", "agent:x", "jobs", "enqueue", "--type", "exec", "--", "true"],
      ["jobs", "enqueue", "--type", "exec", "--actor", "agent:x", "--", "true"],
    ])
      expect(await folder.call(args)).toMatchObject({ status: 1, stderr: expect.stringContaining("POLICY_DENIED") });
    for (const args of [
      ["--policy", "p.yaml", "config", "show"],
      ["config", "show", "--policy", "p.yaml"],
    ])
      expect((await folder.call(args)).stdout).toContain(`key=policy value=${join(folder.path, "p.yaml")}\n`);
  });

  test("every id may stand alone or after --id", async () => {
    for (const command of ["status", "wait", "logs", "explain"]) {
      const alone = await folder.call(["jobs", command, done]);
      expect(alone.status).toBe(0);
      expect(await folder.call(["jobs", command, "--id", done])).toEqual(alone);
    }
    for (const command of ["list", "open"]) {
      const alone = await folder.call(["artifacts", command, done]);
      expect(alone.status).toBe(0);
      for (const flag of ["--id", "--job"])
        expect(await folder.call(["artifacts", command, flag, done])).toEqual(alone);
    }
    for (const command of ["cancel", "retry"]) {
      const { value } = await enqueue("--delay", "1h");
      const id = String(value["job_id"]);
      const { status, stdout } = await folder.call(["jobs", command, "--id", id]);
      expect({ command, status, id: pairsOf(stdout)["job_id"] }).toEqual({
        command,
        status: command === "cancel" ? 0 : 1,
        id,
      });
    }
  });

  test("--json prints one JSON value on one line, and nothing else there", async () => {
    for (const args of [
      ["jobs", "list"],
      ["jobs", "stats"],
      ["jobs", "status", done],
      ["jobs", "status", done, "--watch"],
      ["jobs", "wait", done],
      ["jobs", "logs", done],
      ["jobs", "logs", "-f", done],
      ["jobs", "explain", done],
      ["schedules", "list"],
      ["artifacts", "list", done],
      ["artifacts", "open", done],
      ["artifacts", "fetch", done, "--out", "fetched"],
      ["doctor"],
      ["queue-metrics"],
      ["db", "check"],
      ["db", "migrate"],
      ["db", "shell", "SELECT 1"],
      ["config", "show"],
      ["version"],
      ["completion", "fish"],
      ["run", "exec", "--", "echo", "not JSON"],
    ]) {
      const { status, stdout } = await folder.call(["--json", ...args]);
      expect({ args, status, lines: stdout.split("\n").length }).toEqual({ args, status: 0, lines: 2 });
      expect(() => JSON.parse(stdout)).not.toThrow();
    }
  });
});

describe.concurrent("what enqueue takes", () => {
  test("a delay and a time make a job that is due then; a time that has passed makes it due now", async () => {
    const delayed = await statusOf((await enqueue("--delay", "90m")).value["job_id"]);
    expect(delayed["state"]).toBe("scheduled");
    expect(Date.parse(String(delayed["due_at"])) - Date.parse(String(delayed["queued_at"]))).toBe(5_400_000);
    const at = new Date(Date.now() + 86_400_000).toISOString();
    for (const runAt of [at, at.replace("Z", "+00:00")])
      expect(await statusOf((await enqueue("--run-at", runAt)).value["job_id"])).toMatchObject({
        state: "scheduled",
        due_at: at,
      });
    expect((await enqueue("--run-at", "1969-07-20T20:17:40Z", "--requires", "site=none")).value["state"]).toBe(
      "queued",
    );
  });

  test("a key gives the first job back, --new another one; text shows that it existed", async () => {
    const key = ["--delay", "1h", "--idempotency-key", "gr\u00fc\u00df \u{1f642}"];
    const { value } = await enqueue(...key);
    expect((await enqueue(...key)).value).toMatchObject({ job_id: value["job_id"], existing: true });
    const text = await folder.call(["jobs", "enqueue", "--type", "exec", ...key, "--", "true"]);
    expect(pairsOf(text.stdout.trimEnd())).toMatchObject({ job_id: value["job_id"], existing: "true" });
    expect((await enqueue(...key, "--new")).value["job_id"]).not.toBe(value["job_id"]);
  });

  test("retries count what the job may fail, and a non-zero exit only where it is said", async () => {
    const attempts = async (...args: readonly string[]) =>
      (await folder.json(["run", "exec", ...args, "--", "false"], { env: { WINDLASS_JOB_RETRY_BACKOFF: "1s" } })).value;
    expect(await attempts()).toMatchObject({ attempt: 1, code: "EXIT_NONZERO" });
    expect(await attempts("--retry-on", "exit", "--retries", "1")).toMatchObject({ attempt: 2, code: "EXIT_NONZERO" });
    expect(await attempts("--retry-on", "exit", "--retries", "0")).toMatchObject({ attempt: 1 });
  });

  test("each rule of crashes, and labels that nobody offers are told", async () => {
    for (const rule of ["rerun", "check", "stop"])
      expect((await enqueue("--delay", "1h", "--check-argv", "true", "--after-crash", rule)).status).toBe(0);
    const { value } = await enqueue("--requires", "site=none");
    const { stdout } = await folder.call(["jobs", "explain", String(value["job_id"])]);
    expect(pairsOf(stdout)["sentence"]).toMatch(/site=none|worker/);
  });

  test("a job that did not start in its time has expired, which is status 1", async () => {
    const own = new CliFolder();
    await using _ = own;
    const { value } = await own.json(["jobs", "enqueue", "--type", "exec", "--expires-in", "1ms", "--", "true"]);
    await own.worker();
    const waited = await own.json(["jobs", "wait", String(value["job_id"])]);
    expect(waited).toMatchObject({ status: 1, value: { code: "EXPIRED", jobs: [{ state: "expired" }] } });
  });
});

test("a long list comes in pages: the cursor stands last, and not behind the last page", async () => {
  const own = new CliFolder();
  await using _ = own;
  const stdin = Array.from({ length: 5 }, () => '{"type":"exec","input":{"argv":["true"]},"delay":"1h"}').join("\n");
  await own.call(["jobs", "enqueue", "--from-file", "-"], { stdin });
  const pages: string[][] = [];
  let cursor: string[] = [];
  do {
    const { stdout } = await own.call(["jobs", "list", "--limit", "2", ...cursor]);
    const lines = stdout.trim().split("\n").map(pairsOf);
    const last = lines.at(-1) ?? {};
    expect(lines.slice(0, -1).every(({ job_id }) => job_id !== undefined)).toBe(true);
    pages.push(lines.flatMap(({ job_id }) => job_id ?? []));
    cursor = last["cursor"] === undefined ? [] : ["--cursor", last["cursor"]];
  } while (cursor.length > 0 && pages.length < 9);
  expect(pages.map((page) => page.length).filter((length) => length > 0)).toEqual([2, 2, 1]);
  const all = (await own.json<{ jobs: { job_id: string }[]; cursor: null }>(["jobs", "list"])).value;
  expect(all.jobs.map(({ job_id }) => job_id)).toEqual(pages.flat());
  expect(all.cursor).toBeNull();
});

test("a schedule takes its name as a word or a flag, and keeps how it overlaps and catches up", async () => {
  for (const name of [["--name", "nightly"], ["nightly"]]) {
    const { value } = await folder.json([
      ...["schedules", "add", ...name, "--cron", "0 3 * * *", "--type", "exec"],
      ...["--overlap", "cancel-previous", "--catch-up", "skip", "--input-json", '{"argv":["true"]}'],
    ]);
    expect(value).toMatchObject({ name: "nightly", overlap: "cancel-previous", catch_up: "skip", time_zone: "UTC" });
  }
  expect((await folder.call(["schedules", "list"])).stdout).toMatch(
    /^name=nightly state=active cron="0 3 \* \* \*" .*\n$/,
  );
});

describe("flags of the built-in types", () => {
  let server: Server;
  let url = "";
  const seen: string[] = [];
  const env = { WINDLASS_HTTP_REQUEST_ALLOW: "127.0.0.1" };
  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      request.on("end", () => {
        seen.push(`${request.method} ${request.url} ${request.headers["x-mark"] ?? ""} ${body}`);
        if (request.url === "/moved") response.writeHead(302, { location: "/there" }).end();
        else response.writeHead(request.url === "/none" ? 404 : 200).end("answer");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  test("exec: folder, variables, standard input; its three files", async () => {
    const args = ["--cwd", "/", "--env", "A=1", "--env", "B=x=y", "--stdin", "text"];
    const { stdout, stderr } = await folder.call(["run", "exec", ...args, "--", "sh", "-c", "pwd; echo $A $B; cat"]);
    expect(stdout).toBe("/\n1 x=y\ntext");
    const id = pairsOf(stderr)["job_id"] ?? "";
    const listed = await folder.call(["artifacts", "list", id]);
    expect(listed.stdout.match(/path=\S+/g)).toEqual(
      ["exec/exit_code.txt", "exec/stderr.txt", "exec/stdout.txt"].map((path) => `path=${path}`),
    );
    const { value } = await folder.json<{ result: object }>(["jobs", "status", id]);
    expect(value.result).toEqual({
      exit_code: 0,
      signal: null,
      duration_ms: expect.any(Number),
      stdout_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      stderr_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      stdout_bytes: 12,
      stderr_bytes: 0,
    });
  });

  test("http.request: method, headers, body, statuses, redirects; its two files", async () => {
    const request = (...args: readonly string[]) => folder.json(["run", "http.request", ...args], { env });
    const post = await request("--method", "POST", "--url", `${url}/x`, "--headers", "x-mark=m 1", "--body", "b\u00fc");
    expect(post.value).toMatchObject({
      state: "completed",
      result: {
        status: 200,
        bytes: 6,
        final_url: `${url}/x`,
        body_sha256: expect.any(String),
        headers: expect.anything(),
      },
    });
    expect(seen.at(-1)).toBe("POST /x m 1 b\u00fc");
    const { stdout } = await folder.call(["artifacts", "list", String(post.value["job_id"])]);
    expect(stdout).toContain("path=http/response.json ");
    expect(stdout).toContain("path=http/body ");
    expect(await request("--url", `${url}/none`)).toMatchObject({ status: 1, value: { code: "UNEXPECTED_STATUS" } });
    for (const expected of ["404", "[200,404]"])
      expect((await request("--url", `${url}/none`, "--expect-status", expected)).status).toBe(0);
    expect((await request("--url", `${url}/moved`)).value).toMatchObject({ result: { final_url: `${url}/there` } });
    expect((await request("--url", `${url}/moved`, "--redirects", "0")).value).toMatchObject({
      code: "UNEXPECTED_STATUS",
    });
  });

  test("http.request: a host that does not answer is status 3, one that is private 1", async () => {
    const closed = ["run", "http.request", "--url", "http://127.0.0.1:1/", "--retries", "0"];
    expect(await folder.json(closed, { env })).toMatchObject({ status: 3, value: { code: "HOST_UNREACHABLE" } });
    expect(await folder.json(closed)).toMatchObject({ status: 1, value: { code: "ADDRESS_REFUSED" } });
  });
});
