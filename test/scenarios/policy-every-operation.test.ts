import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { OPERATIONS } from "../../src/operations/registry.ts";
import { CliFolder, type Finished } from "../support/cli.ts";

const AGENT = { env: { WINDLASS_ACTOR: "agent:codex", WINDLASS_PLAYWRIGHT_WS_PATH: "a".repeat(64) } };
const NOTHING = `version: 1
rules:
  - { name: agents-nothing, actors: ["agent:*"], deny: "agents do nothing here" }
  - { name: people, allow: true }
`;
const ID = "01900000-0000-7000-8000-000000000000";

/** A call of each command, as somebody would make it. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  "jobs enqueue": ["--type", "exec", "--", "touch", "trace"],
  "jobs status": [ID],
  "jobs wait": [ID],
  "jobs cancel": [ID],
  "jobs retry": [ID],
  "jobs emit": ["happened", "--input-json", "{}"],
  "jobs logs": [ID],
  "jobs explain": [ID],
  "schedules add": ["n", "--cron", "* * * * *", "--type", "exec", "--", "touch", "trace"],
  "schedules show": ["n"],
  "schedules pause": ["n"],
  "schedules resume": ["n"],
  "schedules trigger": ["n"],
  "schedules delete": ["n"],
  "artifacts list": [ID],
  "artifacts fetch": [ID, "--out", "trace"],
  "artifacts open": [ID],
  "supervisor run": ["--once"],
  doctor: ["--fix"],
  "db backup": ["trace"],
  "db restore": ["trace"],
  "db check": ["--salvage", "trace"],
  "db shell": ["SELECT 1"],
  "approvals show": [ID],
  "approvals setup": ["--key", "trace"],
  "approvals approve": [ID],
  "approvals reject": [ID],
  "approvals revoke": [ID],
  run: ["exec", "--", "touch", "trace"],
  "jobs run": ["--type", "exec", "--", "touch", "trace"],
  "windows exec": ["--", "hostname"],
  "aloha run": ["--task", "look"],
  "playwright run": ["--url", "https://example.com/"],
};

/** What reads nothing that is anybody's: what a caller could read by itself. */
const UNASKED = ["policy check", "policy test", "version", "completion"];

/** What no policy can allow an agent. */
const NEVER = ["approvals setup", "approvals approve", "approvals reject", "approvals revoke"];

/** Every file below a folder with what it holds; of a database the rows, but not the refusals. */
function traces(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((path) => !/-(wal|shm)$/.test(path))
      .map((path) => [path, path.endsWith(".db") ? rowsOf(path) : readFileSync(path, "utf8")]),
  );
}

function rowsOf(path: string): string {
  using db = new DatabaseSync(path, { readOnly: true });
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'denial' ORDER BY name");
  return JSON.stringify(tables.all().map(({ name }) => [name, db.prepare(`SELECT * FROM "${String(name)}"`).all()]));
}

async function callAll(cli: CliFolder, names: readonly string[]): Promise<ReadonlyMap<string, Finished>> {
  const left = [...names];
  const ended = new Map<string, Finished>();
  const next = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift())
      ended.set(name, await cli.call(["--json", ...name.split(" "), ...(CALLS[name] ?? [])], AGENT));
  };
  await Promise.all([next(), next(), next()]);
  return ended;
}

const names = COMMANDS.map(({ name }) => name);
const asked = names.filter((name) => !UNASKED.includes(name));

test.for([
  { where: "no database is there, and none is made", hasDatabase: false },
  { where: "there is one, and the refusals are all that it gets", hasDatabase: true },
])(
  "an agent to whom nothing is allowed is refused every command; $where",
  { timeout: 120_000 },
  async ({ hasDatabase }) => {
    await using cli = new CliFolder();
    cli.write(".windlass/windlass.policy.yaml", NOTHING);
    if (hasDatabase) {
      const schedule = ["schedules", "add", "n", "--cron", "0 0 1 1 *", "--type", "exec", "--", "true"];
      expect((await cli.call(schedule)).status).toBe(0);
      expect((await cli.call(["jobs", "enqueue", "--type", "exec", "--", "true"])).status).toBe(0);
    }
    const before = traces(cli.path);
    const ended = await callAll(cli, asked);
    for (const [name, { status, stdout, stderr }] of ended)
      expect({ name, status, output: stdout }, stderr).toEqual({
        name,
        status: 1,
        output: expect.stringContaining(NEVER.includes(name) ? '"APPROVAL_BY_AGENT"' : '"code":"POLICY_DENIED"'),
      });
    expect(traces(cli.path)).toEqual(before);
    if (!hasDatabase) return;
    const { value } = await cli.json<{ denials: { operation: string; rule: string }[] }>([
      ...["policy", "denials", "--limit", "10000"],
    ]);
    expect(new Set(value.denials.map(({ rule }) => rule))).toEqual(
      new Set(["agents-nothing", "built-in.agents-decide-nothing"]),
    );
    const recorded = new Set(value.denials.map(({ operation }) => operation));
    const within = ["jobs.enqueue-many", ...UNASKED.map((name) => name.replace(" ", "."))];
    for (const { name } of OPERATIONS) if (!within.includes(name)) expect([...recorded]).toContain(name);
    for (const name of ["worker", "demo"]) expect([...recorded]).toContain(name);
  },
);

test("what is not asked about tells nothing of anybody's jobs", async () => {
  await using cli = new CliFolder();
  cli.write(".windlass/windlass.policy.yaml", NOTHING);
  const before = traces(cli.path);
  for (const args of [["policy", "check"], ["policy", "test"], ["version"], ["completion", "bash"]])
    expect((await cli.call(args, AGENT)).status).toBe(0);
  expect(traces(cli.path)).toEqual(before);
});

test("many jobs from a file are refused like one", async () => {
  await using cli = new CliFolder();
  cli.write(".windlass/windlass.policy.yaml", NOTHING);
  const stdin = `${JSON.stringify({ type: "exec", input: { argv: ["touch", "trace"] } })}\n`;
  const before = traces(cli.path);
  const { status, stderr } = await cli.call(["jobs", "enqueue", "--from-file", "-"], { ...AGENT, stdin });
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("POLICY_DENIED") });
  expect(traces(cli.path)).toEqual(before);
});
