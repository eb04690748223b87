import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { TestClock } from "../../../test/support/clock.ts";
import { systemClock } from "../../clock.ts";
import { Connection } from "../../database/connection.ts";
import { openDatabase } from "../../database/open.ts";
import { AppError } from "../../error.ts";
import type { Denial } from "../../policy/in-force.ts";
import { policyLogAt, sweepPolicyLog } from "./policy-log.ts";
import type { Notice } from "./rows/notice.ts";

const DENIAL: Denial = {
  actor: "agent:codex",
  operation: "jobs.enqueue",
  type: "exec",
  rule: "no-match",
  inputDigest: "d".repeat(64),
  policyDigest: null,
};
const USE = {
  actor: "agent:codex",
  rule: "some",
  perHour: 2,
  refuse: (used: number) => new AppError("POLICY_DENIED", `${used}`),
};

let path = "";
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "windlass-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  path = join(folder, "w.db");
});

function withDb<T>(act: (db: Connection) => T): T {
  const db = Connection.open(path);
  try {
    return act(db);
  } finally {
    db.close();
  }
}

test("a refusal makes no database, and stands in one that is there", async () => {
  const log = policyLogAt(path, systemClock);
  await log.recordDenial(DENIAL);
  expect(await log.usedBy("agent:codex")).toEqual({});
  expect(existsSync(path)).toBe(false);
  openDatabase(path, { mode: "write", nowMs: 0 }).close();
  await log.recordDenial(DENIAL);
  expect(withDb((db) => db.all("SELECT * FROM denial"))).toMatchObject([
    {
      actor: "agent:codex",
      operation: "jobs.enqueue",
      type: "exec",
      rule: "no-match",
      digest: "d".repeat(64),
      policy: null,
    },
  ]);
});

test("the newest ten thousand stay, however often somebody asks", async () => {
  openDatabase(path, { mode: "write", nowMs: 0 }).close();
  const insert =
    "INSERT INTO denial (at, actor, operation, rule) SELECT 0, 'agent:x', 'worker', 'r' FROM generate_series(1, 10000)";
  const series = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)";
  withDb((db) => db.exec(`${series} ${insert.replace("generate_series(1, 10000)", "n")}`));
  const log = policyLogAt(path, systemClock);
  await log.recordDenial(DENIAL);
  await log.recordDenial(DENIAL);
  const [row] = withDb((db) =>
    db.all<{ n: number; oldest: number }>("SELECT count(*) AS n, min(id) AS oldest FROM denial"),
  );
  expect(row).toEqual({ n: 10_000, oldest: 3 });
});

test("refusals are listed newest first, all of them or the youngest", async () => {
  const clock = new TestClock(1_000);
  const log = policyLogAt(path, clock);
  expect(await log.denials({ limit: 9 })).toEqual([]);
  openDatabase(path, { mode: "write", nowMs: 0 }).close();
  await log.recordDenial(DENIAL);
  await clock.advance(500);
  await log.recordDenial({ ...DENIAL, operation: "worker", type: null, inputDigest: null });
  const [younger, older] = [
    { ...DENIAL, operation: "worker", type: null, inputDigest: null, atMs: 1_500 },
    { ...DENIAL, atMs: 1_000 },
  ];
  expect(await log.denials({ limit: 9 })).toEqual([younger, older]);
  expect(await log.denials({ limit: 1 })).toEqual([younger]);
  expect(await log.denials({ limit: 9, sinceMs: 1_001 })).toEqual([younger]);
});

test("a limit holds across everybody who opens the database, and what is old is swept", async () => {
  const clock = new TestClock(Date.UTC(2026, 0, 1, 12));
  const [one, other] = [policyLogAt(path, clock), policyLogAt(path, clock)];
  await one.takeUse(USE);
  await other.takeUse(USE);
  await expect(one.takeUse(USE)).rejects.toMatchObject({ code: "POLICY_DENIED", message: "2" });
  await one.takeUse({ ...USE, actor: "agent:other" });
  await one.recordDenial(DENIAL);
  expect(await one.usedBy("agent:codex")).toEqual({ some: 2 });
  const later = clock.now() + 62 * 60_000;
  withDb((db) => sweepPolicyLog({ db, nowMs: later, notify: (_: Notice) => undefined }, later));
  for (const table of ["denial", "policy_use"])
    expect(withDb((db) => db.get(`SELECT count(*) AS n FROM ${table}`))).toEqual({ n: 0 });
});

test("a clock that is set back gives nobody more", async () => {
  await policyLogAt(path, new TestClock(Date.UTC(2026, 0, 2))).takeUse({ ...USE, perHour: 1 });
  const back = policyLogAt(path, new TestClock(Date.UTC(2026, 0, 1)));
  await expect(back.takeUse({ ...USE, perHour: 1 })).rejects.toMatchObject({ code: "POLICY_DENIED" });
});
