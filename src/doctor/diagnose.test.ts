import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { firstNumberAt } from "../backend/embedded/rows/job-number.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { LoadedConfig } from "../config/config.ts";
import { type Flags, loadConfig } from "../config/load.ts";
import { Connection } from "../database/connection.ts";
import { holdLock } from "../database/liveness.ts";
import { openDatabase } from "../database/open.ts";
import { machineIdentity } from "../host/local/machine.ts";
import { CHECKS } from "./checks.ts";
import { type CheckResult, diagnose, summarise } from "./diagnose.ts";
import { CHECK_STATES } from "./model/finding.ts";

const NOW = Date.UTC(2026, 5, 1);
/** What is said where no machine is configured. */
const WITHOUT_HOST = ["ssh", "aloha_server", "aloha_client", "playwright"];
const clock: Clock = { ...systemClock, now: () => NOW };

let folder = "";
let path = "";
let children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "doctor-"));
  path = join(folder, "w.db");
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const load = (flags: Flags = {}, env: Record<string, string> = {}): Promise<LoadedConfig> =>
  loadConfig({ env, cwd: folder, home: folder, flags: { "database.path": path, ...flags } });

async function look(flags: Flags = {}, env: Record<string, string> = {}): Promise<Map<string, CheckResult>> {
  const signal = AbortSignal.timeout(20_000);
  const { results } = await diagnose({ loaded: await load(flags, env), clock, signal, fix: false });
  return new Map(results.map((result) => [result.name, result]));
}

function make(sql = ""): void {
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  db.exec(sql);
  db.close();
}

interface WorkerFacts {
  readonly uuid: string;
  readonly types?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly beatMono?: number;
}

function enterWorker({ uuid, types = ["exec"], labels = {}, beatMono = systemClock.monotonic() }: WorkerFacts): number {
  const db = Connection.open(path);
  const { lastInsertRowid } = db.run(
    "INSERT INTO worker (uuid, host, pid, boot, schema, artifact_root, types, labels, concurrency, lease_ms, started, beat_mono) VALUES (?, 'here', 4711, ?, 1, '/', ?, ?, 5, 15000, 0, ?)",
    uuid,
    machineIdentity().boot,
    JSON.stringify(types),
    JSON.stringify(labels),
    beatMono,
  );
  db.close();
  return lastInsertRowid;
}

const JOB = `INSERT INTO actor VALUES (1, 'person', 'ann', 'cli'); INSERT INTO rules VALUES (1, '{}');
  INSERT INTO queue VALUES (1, 'exec', '{}'), (2, 'app.report', '{"site":"lab1"}');
  INSERT INTO job VALUES (1, 1, 1, 1, 1, 1, '{}'), (2, 2, 1, 1, 1, 1, '{}'), (3, 2, 1, 1, 1, 1, '{}');
  INSERT INTO ready VALUES (1, 1, 1, 1, 0, 0, 0, 0); INSERT INTO delayed VALUES (1, 2, 1, 0, 0, 0, 0, 'due');
  INSERT INTO blocked VALUES ('k', 1, 3, 1, 0, 0, 0, 0);`;

test("without a database it says what it can, and makes none", async () => {
  const results = await look();
  expect(results.get("database")).toMatchObject({ state: "not_configured", facts: { found: "flag --db" } });
  expect([...results.values()].filter(({ state }) => state === "fail" || state === "warn")).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
  expect(results.get("job_backend")).toMatchObject({
    state: "not_configured",
    facts: { backend: "embedded", hatchet_sdk_version: "unknown" },
  });
  expect(summarise([...results.values()], false)).toBe("ok");
  expect(summarise([...results.values()], true)).toBe("fail");
});

test("a sound database is found so by every check", async () => {
  make();
  const results = await look();
  expect([...results.keys()]).toEqual([...CHECKS.map(({ name }) => name), ...WITHOUT_HOST]);
  expect([...results.values()].filter(({ state }) => state !== "ok").map(({ name }) => name)).toEqual([
    "policy",
    "approvals",
    ...WITHOUT_HOST,
  ]);
});

test("looking changes no byte of the database, with a log and without one, and leaves no file of its own", async () => {
  make(JOB);
  const clean = readFileSync(path);
  await look();
  expect(readFileSync(path).equals(clean)).toBe(true);
  const script = `new (require("node:sqlite").DatabaseSync)(process.argv[1]).exec("UPDATE job SET due = 2"); process.kill(process.pid, "SIGKILL")`;
  spawnSync(process.execPath, ["-e", script, path]);
  const before = ["", "-wal"].map((end) => readFileSync(path + end));
  expect(before[1]?.length).toBeGreaterThan(0);
  await look();
  await look();
  expect(["", "-wal"].map((end) => readFileSync(path + end).equals(before[end === "" ? 0 : 1] ?? Buffer.of()))).toEqual(
    [true, true],
  );
  expect(readdirSync(folder).sort()).toEqual(["w.db", "w.db-shm", "w.db-wal"]);
});

test("damage, another program's file and a newer schema are failures with a remedy", async () => {
  make("PRAGMA user_version=99");
  expect((await look()).get("schema")).toMatchObject({ state: "fail", remedy: "use a newer windlass" });
  rmSync(path);
  make(
    "CREATE TABLE filler AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000) SELECT i, hex(randomblob(50)) FROM n",
  );
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xee, bytes.length - 3 * 4096, bytes.length - 2 * 4096));
  const damaged = await look();
  expect(damaged.get("quick_check")).toMatchObject({ state: "fail" });
  expect(damaged.get("quick_check")?.remedy).toContain("--salvage");
  writeFileSync(path, "a text\n".repeat(1_000));
  const foreign = await look();
  expect(foreign.get("database")).toMatchObject({
    state: "fail",
    remedy: expect.stringMatching(/^name another file with --db,/),
    facts: { code: "DATABASE_FOREIGN" },
  });
  expect(foreign.has("schema")).toBe(false);
});

test("jobs that no live worker serves are named with what to type", async () => {
  make(JOB);
  const all = (await look()).get("unserved_jobs");
  expect(all).toMatchObject({ state: "warn", facts: { types: 2, jobs: 3 } });
  expect(all?.detail).toBe("no live worker serves app.report on a worker with site=lab1 (2 jobs), exec (1 job)");
  const named = ` --db ${path}`;
  expect(all?.remedy).toBe(`\`windlass worker --jobs FILE --label site=lab1${named}\`; \`windlass worker${named}\``);
  enterWorker({ uuid: "a", types: ["exec", "app.report"] });
  enterWorker({ uuid: "dead", types: ["app.report"], labels: { site: "lab1" } });
  using _a = holdLock(path, "a");
  expect((await look()).get("unserved_jobs")).toMatchObject({ state: "warn", facts: { unserved: "app.report" } });
  enterWorker({ uuid: "b", types: ["app.report"], labels: { site: "lab1", more: "x" } });
  using _b = holdLock(path, "b");
  const results = await look();
  expect(results.get("unserved_jobs")?.state).toBe("ok");
  expect(results.get("workers")).toMatchObject({ state: "ok", facts: { live: 2, dead: 1, slots: 10 } });
});

test("waits that nobody has ended are a warning; others are counted by what they wait for", async () => {
  make(JOB);
  expect((await look()).get("waiting_jobs")).toMatchObject({
    state: "ok",
    detail: "no job waits; 0 events kept",
  });
  const db = Connection.open(path);
  const wait = (job: number, kind: string, columns = "due", value: string | number = NOW + 60_000): void => {
    db.exec(
      `INSERT INTO record (job, run, position, kind, name, digest, at) VALUES (${job}, 1, 1, '${kind}', '', '', 0);
       INSERT INTO waiting (job, run, attempt, failures, crashes, recover, since) VALUES (${job}, 1, 1, 0, 0, 0, ${NOW - 3_600_000});
       INSERT INTO wait (job, run, position, ${columns}) VALUES (${job}, 1, 1, ${value})`,
    );
  };
  wait(901, "sleep");
  wait(902, "waitFor", "event", "'paid'");
  wait(903, "run", "child", 7);
  wait(904, "approve");
  const well = (await look()).get("waiting_jobs");
  expect(well).toMatchObject({
    state: "ok",
    detail:
      "4 jobs waiting, the oldest for 1h: 1 for a time, 1 for an event, 1 for a child, 1 for an approval; 0 events kept",
    facts: { jobs: 4, sleep: 1, event: 1, child: 1, approval: 1, overdue: 0, oldest_ms: 3_600_000 },
  });
  wait(905, "sleep", "due", NOW - 120_000);
  expect((await look()).get("waiting_jobs")).toMatchObject({
    state: "warn",
    detail: "1 wait should be over, the first for 2m, and no worker has ended it",
    remedy: "start `windlass worker`",
    facts: { overdue: 1, overdue_ms: 120_000 },
  });
  db.close();
});

test("leases of the dead and of the stopped are told apart", async () => {
  make(JOB);
  const dead = enterWorker({ uuid: "dead" });
  const addLease = (epoch: number, worker: number): void => {
    const db = Connection.open(path);
    db.run("INSERT INTO lease VALUES (?, ?, ?, '[]')", epoch, worker, NOW - 90_000);
    db.close();
  };
  addLease(1, dead);
  expect((await look()).get("leases")).toMatchObject({
    state: "warn",
    detail: "1 lease of 1 worker that died, and no worker runs to take them",
    facts: { leases: 1, oldest_ms: 90_000, of_dead_workers: 1, expired: 0 },
  });
  const live = enterWorker({ uuid: "live" });
  using _live = holdLock(path, "live");
  addLease(2, live);
  expect((await look()).get("leases")).toMatchObject({ state: "ok", facts: { leases: 2, of_dead_workers: 1 } });
  const stopped = enterWorker({ uuid: "stopped", beatMono: systemClock.monotonic() - 16_000 });
  using _stopped = holdLock(path, "stopped");
  addLease(3, stopped);
  expect((await look()).get("leases")).toMatchObject({ state: "warn", facts: { leases: 3, expired: 1 } });
});

test("a log that a reader starves is a warning that names the reader", async () => {
  make("CREATE TABLE filler (a)");
  const script = `const db = new (require("node:sqlite").DatabaseSync)(process.argv[1], { readOnly: true }); db.exec("BEGIN; SELECT count(*) FROM filler"); console.log("reads"); setInterval(() => 0, 1000)`;
  const reader = spawn(process.execPath, ["-e", script, path], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(reader);
  await once(reader.stdout, "data");
  const db = Connection.open(path);
  db.exec("BEGIN");
  for (let n = 0; n < 4_100; n++) db.run("INSERT INTO filler VALUES (zeroblob(4000))");
  db.exec("COMMIT");
  expect((await look()).get("wal")).toMatchObject({ state: "warn", facts: { readers: String(reader.pid) } });
  const exit = once(reader, "exit");
  reader.kill("SIGKILL");
  await exit;
  expect((await look()).get("wal")).toMatchObject({ state: "warn", detail: expect.stringContaining("nobody reads") });
  db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  const { log, checkpointed } = (await look()).get("wal")?.facts ?? {};
  expect([Number(log) > 4_000, checkpointed]).toEqual([true, log]);
  db.close();
});

test("a clock that was set back is seen by the newest job", async () => {
  make(`INSERT INTO job VALUES (${firstNumberAt(NOW + 3_600_000)}, 1, 1, 1, 1, 1, '{}')`);
  expect((await look()).get("clock")).toMatchObject({
    state: "warn",
    detail: expect.stringContaining("accepted 1h after the time that the clock shows"),
  });
});

test("what others can get at is a failure", async () => {
  make();
  mkdirSync(join(folder, "artifacts", "job"), { recursive: true, mode: 0o755 });
  expect((await look()).get("permissions")).toMatchObject({ state: "fail", facts: { loose: 1 } });
  chmodSync(join(folder, "artifacts", "job"), 0o700);
  expect((await look()).get("permissions")?.state).toBe("ok");
  chmodSync(path, 0o640);
  expect((await look()).get("permissions")).toMatchObject({ state: "fail", facts: { first: path } });
  chmodSync(path, 0o600);
  chmodSync(folder, 0o777);
  expect((await look()).get("permissions")).toMatchObject({ state: "fail", facts: { first: folder } });
  // Shared between accounts on purpose, and still no business of everybody's.
  chmodSync(folder, 0o2770);
  chmodSync(path, 0o660);
  expect((await look()).get("permissions")).toMatchObject({ state: "ok", detail: expect.stringContaining("shared") });
  chmodSync(path, 0o664);
  expect((await look()).get("permissions")).toMatchObject({ state: "fail", facts: { first: path } });
  chmodSync(path, 0o600);
  chmodSync(folder, 0o755);
});

test("the queue is asked where jobs would go", async () => {
  make();
  expect((await look()).get("job_backend")).toMatchObject({ state: "ok", detail: `embedded: ${path} answers` });
  writeFileSync(path, "a text\n".repeat(1_000));
  expect((await look()).get("job_backend")).toMatchObject({
    state: "unreachable",
    remedy: "see the line database first",
  });
});

test.each([
  [200, "warn", "this version cannot give it jobs"],
  [404, "unreachable", "answers 404"],
  [undefined, "unreachable", "ECONNREFUSED"],
] as const)("a Hatchet server that answers %s is %s", async (status, state, detail) => {
  const server = createServer((_, response) => void response.writeHead(status ?? 500).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise((resolve) => server.close(resolve));
  if (status === undefined) await close();
  const found = await look({ backend: "hatchet", "hatchet.health_url": `http://127.0.0.1:${port}` });
  if (status !== undefined) await close();
  expect(found.get("job_backend")).toMatchObject({
    state,
    detail: expect.stringContaining(detail),
    facts: { backend: "hatchet", hatchet_sdk_version: "unknown" },
  });
});

test("a config file is named, also one whose lines are all commented out", async () => {
  expect((await look()).get("config")).toMatchObject({ detail: "no file; defaults, environment and flags" });
  const file = join(folder, "own.yaml");
  writeFileSync(file, "# worker: { concurrency: 5 }\n");
  const empty = (await look({}, { WINDLASS_CONFIG: "own.yaml" })).get("config");
  expect(empty).toMatchObject({ state: "ok", detail: `read from ${file}, which sets nothing`, facts: { file } });
  writeFileSync(file, "worker: { concurrency: 5 }\n");
  const config = (await look({}, { WINDLASS_CONFIG: "own.yaml" })).get("config");
  expect(config).toMatchObject({ detail: `read from ${file}` });
});

test("warnings of the configuration are worth a look", async () => {
  writeFileSync(join(folder, "windlass.yaml"), "backend: embedded\n");
  const results = await look();
  expect(results.get("config")).toMatchObject({ state: "warn", detail: expect.stringContaining("is not read") });
});

test("the line of approvals says who may decide, what that is worth and what waits", async () => {
  const [hardware, plain] = [
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA==",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==",
  ];
  expect((await look()).get("approvals")).toMatchObject({
    state: "not_configured",
    remedy: "windlass approvals setup",
  });
  writeFileSync(
    join(folder, "windlass.policy.yaml"),
    `version: 1\napprovers: [{ principal: a, key: "${hardware}" }, { principal: b, key: "${plain}" }]\nrules: []\n`,
  );
  expect((await look()).get("approvals")).toMatchObject({
    state: "ok",
    detail: "2 keys of approvers; what they decide is advisory, because the policy is",
    facts: { ssh_keygen: true, approvers: 2, enforceable: 0 },
  });
  make(
    `INSERT INTO approval VALUES ('x', 1, 1, 0, 't', '{}', '', 1, '{}', ${NOW - 7_200_000}, ${NOW}, 'pending', NULL, NULL),
     ('y', 1, 1, 1, 't', '{}', '', 1, '{}', 0, ${NOW}, 'rejected', 0, NULL)`,
  );
  const bare = await withPath(folder, look);
  expect(bare.get("approvals")).toMatchObject({
    state: "fail",
    detail: "ssh-keygen is not on PATH, and without it no approval counts; 1 approval pending, the oldest for 2h",
    facts: { ssh_keygen: false, pending: 1, oldest_pending_ms: 7_200_000 },
    remedy: "install openssh-client",
  });
  expect((await look()).get("approvals")).toMatchObject({ state: "ok", remedy: "windlass approvals list" });
});

async function withPath<T>(folders: string, action: () => Promise<T>): Promise<T> {
  vi.stubEnv("PATH", folders);
  return action().finally(() => vi.unstubAllEnvs());
}

test("the policy's line says which one holds, whom it holds, what was denied, and what is wrong with it", async () => {
  const file = join(folder, "windlass.policy.yaml");
  expect((await look()).get("policy")).toMatchObject({ state: "not_configured", facts: { path: null } });
  make(
    `INSERT INTO denial (at, actor, operation, rule) VALUES (${NOW - 1_000}, 'agent:x', 'worker', 'no-match'), (0, 'agent:x', 'worker', 'r')`,
  );
  writeFileSync(file, "version: 1\nrules:\n  - { name: all, allow: true }\n");
  expect((await look()).get("policy")).toMatchObject({
    state: "ok",
    detail: expect.stringMatching(/1 rule, digest [0-9a-f]{12}\) is advisory, because .*; 1 request denied in 24 h/),
    facts: { path: file, level: "advisory", setting: "advisory", denied_24h: 1 },
    remedy: expect.stringContaining("/etc/windlass/policy.yaml"),
  });
  writeFileSync(file, "rules: []\n");
  expect((await look()).get("policy")).toMatchObject({
    state: "fail",
    detail: expect.stringContaining("line 1: version is missing"),
    remedy: expect.stringContaining("windlass policy test"),
  });
});

test.each([
  [["ok", "not_configured"], "ok", "fail"],
  [["ok", "warn"], "ok", "fail"],
  [["ok"], "ok", "ok"],
  [["warn", "fail", "unreachable"], "fail", "fail"],
  [["ok", "unreachable"], "unreachable", "unreachable"],
] as const)("%j comes to %s, and strictly to %s", (states, plain, strict) => {
  const results = states.map((state) => ({ state }));
  expect([summarise(results, false), summarise(results, true)]).toEqual([plain, strict]);
  expect(states.every((state) => CHECK_STATES.includes(state))).toBe(true);
});
