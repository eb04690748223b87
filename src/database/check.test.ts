import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkDatabase, checkSchema } from "./check.ts";
import { Connection } from "./connection.ts";
import { ownMigrations, schemaVersion } from "./migrate.ts";
import { openDatabase } from "./open.ts";
import { RECORD_RULES } from "./record-rules.ts";

let folder = "";
let path = "";
let db: Connection;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "check-"));
  path = join(folder, "w.db");
  db = openDatabase(path, { mode: "write", nowMs: 0 });
  db.exec(`INSERT INTO actor VALUES (1, 'person', 'ann', 'cli'); INSERT INTO rules VALUES (1, '{}'); INSERT INTO queue VALUES (1, 'exec', '{}');
    INSERT INTO worker (id, uuid, host, pid, boot, schema, artifact_root, types, labels, concurrency, lease_ms, started, beat_mono)
      VALUES (1, 'w', 'h', 1, 'b', 1, '/', '[]', '{}', 1, 1, 0, 0);
    INSERT INTO job VALUES (1, 1, 1, 1, 10, 10, '{}'), (2, 1, 1, 1, 20, 20, '{}'), (3, 1, 1, 1, 30, 30, '{}'), (4, 1, 1, 1, 40, 40, '{}'), (5, 1, 1, 1, 50, 50, '{}');
    INSERT INTO ready VALUES (1, 10, 1, 1, 0, 0, 0, 0);
    INSERT INTO delayed VALUES (20, 2, 1, 0, 0, 0, 0, 'due');
    INSERT INTO blocked VALUES ('k', 30, 3, 1, 0, 0, 0, 0);
    INSERT INTO holder VALUES ('k', 4);
    INSERT INTO lease VALUES (7, 1, 0, '[[4,1,1,0,0],[5,1,1,0,0]]');
    INSERT INTO done VALUES (5, 1, 'completed', NULL, 1, 0, 0, 1, 0, 0, '{}', NULL)`);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

test("a sound database has no findings, and says how much stands where", () => {
  expect(checkDatabase(path)).toEqual({
    path,
    schema: schemaVersion(ownMigrations()),
    findings: [],
    counts: {
      job: 5,
      ready: 1,
      delayed: 1,
      blocked: 1,
      waiting: 0,
      lease: 1,
      done: 1,
      history: 0,
      worker: 1,
      schedule: 0,
    },
  });
});

test("a run that was started over is no fault", () => {
  db.exec("INSERT INTO ready VALUES (1, 50, 5, 2, 0, 0, 0, 0)");
  expect(checkDatabase(path).findings).toEqual([]);
});

const WAITING = `INSERT INTO job VALUES (6, 1, 1, 1, 60, 60, '{"since":0}'); INSERT INTO waiting VALUES (6, 1, 1, 0, 0, 0, 0, NULL, NULL);
  INSERT INTO record VALUES (6, 1, 1, 'sleep', '1h', '', 0, NULL, NULL); INSERT INTO wait (job, run, position, due) VALUES (6, 1, 1, 9)`;

test("a run that waits is no fault", () => {
  db.exec(WAITING);
  expect(checkDatabase(path).findings).toEqual([]);
});

/** A breach of each rule, by a part of what is said about it. */
const BREACHES: Readonly<Record<string, readonly [sql: string, job: number]>> = {
  "more than one place": ["INSERT INTO delayed VALUES (9, 1, 1, 0, 0, 0, 0, 'due')", 1],
  "stands nowhere": ["DELETE FROM ready", 1],
  "run of it has ended": ["INSERT INTO done VALUES (1, 1, 'failed', NULL, 1, 0, 0, 1, 0, 0, NULL, '{}')", 1],
  "waits or runs without a record": ["DELETE FROM job WHERE id = 1", 1],
  "ended without a record": ["DELETE FROM job WHERE id = 5", 5],
  "no reader of its record": ["UPDATE job SET rank = 11 WHERE id = 1", 1],
  "refers to a queue": ["UPDATE job SET rules = 9 WHERE id = 1", 1],
  "not JSON": ["UPDATE job SET env = '{' WHERE id = 1", 1],
  "holds a concurrency key": ["INSERT INTO holder VALUES ('k', 5)", 5],
  "waits for nothing": [`${WAITING}; DELETE FROM wait`, 6],
  "does not have open": [`${WAITING}; UPDATE record SET outcome = '{}'`, 6],
  "a call twice": [`${WAITING}; INSERT INTO record_tail VALUES (1, 6, 1, 1, 'step', 'a', '', 0, '{}')`, 6],
  "approval that is gone": [`${WAITING}; UPDATE wait SET approval = 'x'`, 6],
  "worker is not known": ["UPDATE worker SET stopped = 1", 4],
};

test.each(Object.entries(BREACHES))("it finds a job that breaks a rule of the records: %s", (words, [sql, job]) => {
  db.exec(sql);
  const found = checkDatabase(path).findings.find(({ problem }) => problem.includes(words));
  expect(found).toMatchObject({ where: "records", count: expect.any(Number) });
  expect(found?.jobs).toContain(job);
});

test("every rule of the records has such a breach", () => {
  const covered = RECORD_RULES.map(({ broken }) => Object.keys(BREACHES).filter((words) => broken.includes(words)));
  expect(covered.map((words) => words.length)).toEqual(RECORD_RULES.map(() => 1));
});

test("a record that no rule can read is said, and the other rules are still asked", () => {
  db.exec("UPDATE lease SET jobs = '[['; DELETE FROM ready; UPDATE job SET env = '{' WHERE id = 1");
  const problems = checkDatabase(path).findings.map(({ problem }) => problem);
  expect(problems.some((problem) => problem.startsWith("could not be looked at"))).toBe(true);
  expect(problems).toContain("a job has a record that is not JSON");
});

test("a changed or missing part of the schema is found, a user's own table is not", () => {
  db.exec("CREATE TABLE mine (a); DROP INDEX done_unusual; ALTER TABLE rate ADD COLUMN more TEXT");
  const problems = checkDatabase(path).findings.map(({ where, problem }) => `${where}: ${problem}`);
  expect(problems.sort()).toEqual(["schema: done_unusual is missing", "schema: rate is not as its step made it"]);
});

test("a step with another text than ours is found", () => {
  const [first, ...later] = ownMigrations();
  const changed = [{ version: 1, writerMin: 1, sql: `${first?.sql} -- changed` }, ...later];
  expect(checkSchema(db, 1, changed)).toMatchObject([{ where: "schema", count: 1 }]);
  db.exec("DELETE FROM migration");
  expect(checkDatabase(path).findings).toMatchObject(
    ownMigrations().map(({ version }) => ({ problem: `step ${version} is not recorded as taken` })),
  );
});

test("damage is found by the quick look and by the full one, without a word about what nobody can know", () => {
  for (let n = 0; n < 300; n++) db.run("INSERT INTO history VALUES (1, 1, ?, 0, 'job.queued', ?)", n, "x".repeat(200));
  db.close();
  const bytes = readFileSync(path);
  const page = bytes.length - 2 * 4096;
  writeFileSync(path, bytes.fill(0xab, page, page + 4096));
  for (const depth of ["quick", "full"] as const) {
    const report = checkDatabase(path, depth);
    expect(report.findings.length).toBeGreaterThan(0);
    expect(report.findings.every(({ where }) => where === "file")).toBe(true);
    expect(report.counts).toEqual({});
  }
  db = Connection.open(path);
});

test("looking changes no byte", () => {
  db.close();
  const before = readFileSync(path);
  checkDatabase(path);
  expect(readFileSync(path).equals(before)).toBe(true);
  db = Connection.open(path);
});
