import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { CliFolder, type RunningCli } from "../../support/cli.ts";

// The third attack of docs/threat-model.md: an agent enqueues exec to read a signing key or a token.

const AGENT = { env: { WINDLASS_ACTOR: "agent:codex" } };
const KEY = "wk_c4n4ry_9f8e7d6c5b4a";
const isRoot = process.getuid?.() === 0;
const RULES = `version: 1
rules:
  - { name: read, access: read, allow: true }
  - { name: agents-echo, actors: ["agent:*"], types: [exec], argv: [echo, hi], env: [NAME], allow: true }
  - { name: agents-cat, actors: ["agent:reader"], types: [exec], argv: [cat], allow: true }
  - { name: people, actors: ["person:*", "unattended:*", "schedule:*", "job:*"], allow: true }
`;

let cli: CliFolder;
let key: string;
beforeEach(() => {
  cli = new CliFolder();
  onTestFinished(() => cli[Symbol.asyncDispose]());
  cli.write(".windlass/windlass.policy.yaml", RULES);
  key = cli.write("keys/id_ed25519", `${KEY}\n`);
  chmodSync(key, 0o600);
  // What a job may bring along: programs of the same name, and other ways to the key.
  for (const name of ["echo", "cat"]) chmodSync(cli.write(`mine/${name}`, `#!/bin/sh\ncat ${key}\n`), 0o755);
  writeFileSync(join(cli.path, "mine/preload.so"), "");
  symlinkSync(key, join(cli.path, "mine/hi"));
});

/** Everything that was stored or kept, as bytes. */
function everything(): string {
  const files = readdirSync(cli.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => path !== key)
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}

async function stop(worker: RunningCli): Promise<void> {
  worker.kill("SIGTERM");
  await worker.ended;
}

describe("a rule that names a program and its first words", () => {
  test("covers nothing that only looks like them", async () => {
    const variants: readonly (readonly [what: string, input: object])[] = [
      ["another program", { argv: ["cat", key] }],
      ["another program by its path", { argv: ["/bin/cat", key] }],
      ["a shell", { argv: ["sh", "-c", `cat ${key}`] }],
      ["the program under another path", { argv: ["/bin/echo", "hi"] }],
      ["a program of that name in the job's folder", { argv: ["./echo", "hi"], cwd: join(cli.path, "mine") }],
      ["one by a path that climbs", { argv: ["../mine/echo", "hi"], cwd: join(cli.path, "keys") }],
      ["all words in one", { argv: ["echo hi"] }],
      ["other capitals", { argv: ["Echo", "hi"] }],
      ["a letter that looks like it", { argv: ["\u0435cho", "hi"] }],
      ["a letter that is not seen", { argv: ["echo\u200b", "hi"] }],
      ["other first words", { argv: ["echo", "-e", "hi"] }],
      ["a PATH of its own", { argv: ["echo", "hi"], env: { PATH: join(cli.path, "mine") } }],
      ["a library that is loaded first", { argv: ["echo", "hi"], env: { LD_PRELOAD: "mine/preload.so" } }],
      ["a file for the shell", { argv: ["echo", "hi"], env: { BASH_ENV: key, ENV: key } }],
      ["a check of its own", { argv: ["echo", "hi"], check_argv: ["cat", key] }],
      ["a check that is the same program", { argv: ["echo", "hi"], check_argv: ["echo", "hi"] }],
    ];
    const refusals = await Promise.all(
      variants.map(async ([what, input]) => {
        const args = ["jobs", "enqueue", "--type", "exec", "--input-json", JSON.stringify(input)];
        return [what, (await cli.json(args, AGENT)).value["code"]];
      }),
    );
    expect(refusals).toEqual(variants.map(([what]) => [what, "POLICY_DENIED"]));
    const schedule = ["schedules", "add", "s", "--cron", "* * * * *", "--type", "exec", "--", "cat", key];
    expect((await cli.call(schedule, AGENT)).stderr).toContain("POLICY_DENIED");
    expect((await cli.json<{ jobs: unknown[] }>(["jobs", "list"])).value.jobs).toEqual([]);
  });

  test("what it covers runs what it names, whatever the job's folder holds; the key stays where it is", async () => {
    const worker = await cli.worker();
    const inputs = [
      { argv: ["echo", "hi"], cwd: join(cli.path, "mine") },
      { argv: ["echo", "hi", "$(cat keys/id_ed25519)", "`cat keys/id_ed25519`", "@keys/id_ed25519", "*"] },
      { argv: ["echo", "hi"], env: { NAME: "$(cat keys/id_ed25519)" } },
      { argv: ["echo", "hi"], stdin: "cat keys/id_ed25519\n" },
    ];
    const stdin = inputs.map((input) => `${JSON.stringify({ type: "exec", input })}\n`).join("");
    const { value } = await cli.json<{ jobs: { job_id: string }[] }>(["jobs", "enqueue", "--from-file", "-"], {
      ...AGENT,
      stdin,
    });
    const ids = value.jobs.map(({ job_id }) => job_id);
    expect((await cli.call(["jobs", "wait", ...ids])).status).toBe(0);
    const logs = await Promise.all(ids.map((id) => cli.call(["jobs", "logs", id], AGENT)));
    for (const { stdout } of logs) expect(stdout).toMatch(/stream=stdout text="?hi/);
    await stop(worker);
    expect(everything()).not.toContain(KEY);
  });

  test("is held against what was stored under other rules too, before it runs", async () => {
    const lax = cli.write("lax.yaml", "version: 1\nrules:\n  - { name: all, allow: true }\n");
    const args = ["jobs", "enqueue", "--type", "exec", "--policy", lax];
    const ids = await Promise.all(
      [[key], ["-n", key]].map(async (more) =>
        String((await cli.json([...args, "--", "cat", ...more], AGENT)).value["job_id"]),
      ),
    );
    const worker = await cli.worker();
    expect((await cli.call(["jobs", "wait", ...ids])).status).toBe(1);
    for (const id of ids)
      expect((await cli.json(["jobs", "status", id])).value).toMatchObject({
        state: "failed",
        error: expect.stringContaining("POLICY_DENIED"),
      });
    await stop(worker);
    expect(everything()).not.toContain(KEY);
  });
});

describe("a program that is allowed and reads what it is told to", () => {
  const READER = { env: { WINDLASS_ACTOR: "agent:reader" } };
  const cat = async (): Promise<string> => {
    const { value } = await cli.json(["jobs", "enqueue", "--type", "exec", "--", "cat", key], READER);
    const id = String(value["job_id"]);
    await cli.call(["jobs", "wait", id]);
    return (await cli.call(["jobs", "logs", id], READER)).stdout;
  };

  test("reads what its account may read: no rule prevents it, and nothing takes it out of the output", async () => {
    const worker = await cli.worker();
    expect(await cat()).toContain(KEY);
    await stop(worker);
  });

  test.skipIf(!isRoot)("does not where exec.uid gives programs an account that may not", async ({ skip }) => {
    const uid = 4711;
    mkdirSync(join(cli.path, "artifacts"), { mode: 0o755 });
    chmodSync(cli.path, 0o755);
    const worker = await cli.worker([], { env: { WINDLASS_EXEC_UID: String(uid) } });
    const said = await cat();
    await stop(worker);
    try {
      execFileSync("setpriv", ["--reuid", String(uid), "--clear-groups", "cat", join(cli.path, "mine/cat")]);
    } catch {
      return skip("the folder for tests is closed to other accounts");
    }
    expect(said).toContain("Permission denied");
    expect(everything()).not.toContain(KEY);
  });
});

test("a secret of the worker is resolved only where its own configuration lists it", async () => {
  const worker = await cli.worker([], { env: { SIGNING_KEY: KEY } });
  const lists = { env: { ...AGENT.env, WINDLASS_EXEC_SECRETS: "SIGNING_KEY" } };
  const input = { argv: ["echo", "hi"], env: { NAME: { $secret: "SIGNING_KEY" } } };
  const enqueue = ["jobs", "enqueue", "--type", "exec", "--input-json", JSON.stringify(input)];
  expect((await cli.json(enqueue, AGENT)).value).toMatchObject({ code: "INVALID_INPUT" });
  const { value } = await cli.json(enqueue, lists);
  const id = String(value["job_id"]);
  expect((await cli.call(["jobs", "wait", id])).status).toBe(1);
  expect((await cli.json(["jobs", "status", id])).value["error"]).toContain("SIGNING_KEY");
  await stop(worker);
  expect(everything()).not.toContain(KEY);
});
