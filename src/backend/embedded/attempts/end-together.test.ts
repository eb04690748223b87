import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Connection } from "../../../database/connection.ts";
import { openDatabase } from "../../../database/open.ts";
import type { Transaction } from "../../../database/writer.ts";
import { finish } from "../ending/finish.ts";
import type { Claim } from "../lease/claim.ts";
import type { Notice } from "../rows/notice.ts";
import { type EndsTogether, endTogether, isPlainAttempt } from "./end-together.ts";

const WORKER = 3;

let folder = "";
let db: Connection;
let notices: Notice[] = [];
let tx: Transaction<Notice>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "end-together-"));
  db = openDatabase(join(folder, "w.db"), { mode: "write", nowMs: 1 });
  notices = [];
  tx = { db, nowMs: 9, notify: (notice) => void notices.push(notice) };
  db.exec("INSERT INTO lease (epoch, worker, at, jobs) VALUES (7, 3, 0, '[]'), (8, 3, 0, '[]')");
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

interface Ending {
  readonly job: number;
  readonly epoch?: number;
  readonly run?: number;
  readonly attempt?: number;
  readonly failures?: number;
  readonly crashes?: number;
  readonly claimedAt?: number;
  readonly awaited?: true;
  readonly result?: string;
  readonly outcome?: "skipped";
}

function ended({ job, epoch = 7, claimedAt = 5, awaited, result = "null", outcome, ...counts }: Ending) {
  const entry = { job, run: 1, attempt: 1, failures: 0, crashes: 0, recover: 0, ...counts };
  const env = awaited === undefined ? {} : { awaited };
  const claim = { epoch, entry, job: { id: job, keys: [], env }, claimedAt } as unknown as Claim;
  return {
    claim,
    end: { kind: "completed" as const, resultJson: result, ...(outcome === undefined ? {} : { outcome }) },
  };
}

const end = (endings: readonly Ending[], emptied: EndsTogether["emptied"] = []): void =>
  endTogether(tx, { worker: WORKER, ends: endings.map(ended), emptied });

const done = (): unknown[] => db.all("SELECT * FROM done ORDER BY job");

/** A suspended run whose calls from position 1 on wait for these jobs. */
function waitsFor(parent: number, children: readonly number[]): void {
  db.run(
    "INSERT INTO waiting (job, run, attempt, failures, crashes, recover, since, worker, woken) VALUES (?, 1, 1, 0, 0, 0, 0, NULL, NULL)",
    parent,
  );
  db.run("INSERT INTO job (id, queue, rules, actor, rank, due, env) VALUES (?, 1, 1, 1, 0, 0, '{}')", parent);
  for (const [index, child] of children.entries()) {
    db.run(
      "INSERT INTO record (job, run, position, kind, name, digest, at, settled, outcome) VALUES (?, 1, ?, 'run', '', '', 0, NULL, NULL)",
      parent,
      index + 1,
    );
    db.run("INSERT INTO wait (job, run, position, key, child) VALUES (?, 1, ?, ?, ?)", parent, index + 1, "id", child);
  }
}

const outcomes = (parent: number): unknown[] =>
  db
    .all<{ outcome: string | null }>("SELECT outcome FROM record WHERE job = ? ORDER BY position", parent)
    .map(({ outcome }) => (outcome === null ? null : JSON.parse(outcome)));
const woken = (): number[] => db.all<{ job: number }>("SELECT job FROM ready ORDER BY job").map(({ job }) => job);

test("the record is that of the same ends one by one", () => {
  const endings: Ending[] = [
    { job: 14, result: '{"text":"a \\"quoted\\" \\u0000 \\ud800 \u2028 line"}' },
    { job: 11, result: "[1,2]" },
    { job: 12, attempt: 2, claimedAt: 6, epoch: 8 },
    { job: 13, outcome: "skipped" },
    { job: 15 },
    { job: 16, run: 2 },
    { job: 17 },
    { job: 18, attempt: 3 },
    { job: 19 },
    { job: 20, failures: 1 },
    { job: 21 },
    { job: 22, crashes: 1 },
    { job: 23 },
    { job: 24 },
  ];
  db.exec("SAVEPOINT once");
  for (const { claim, end: completed } of endings.map(ended)) {
    const { entry, job, claimedAt: claimed } = claim;
    const { resultJson: result, outcome } = completed;
    const more = outcome === undefined ? {} : { outcome };
    finish(tx, job, "running", { entry, state: "completed", worker: WORKER, claimed, result, ...more });
  }
  const oneByOne = done();
  const moved = notices.flatMap((notice) => (notice.kind === "moved" ? notice.jobs : [])).sort();
  db.exec("ROLLBACK TO once; RELEASE once");
  notices = [];
  end(endings);
  expect(done()).toEqual(oneByOne);
  expect(notices.flatMap((notice) => (notice.kind === "moved" ? notice.jobs : [])).sort()).toEqual(moved);
  expect(oneByOne).toHaveLength(endings.length);
});

test("each parent gets the results of its own children, and goes on when it has all", () => {
  waitsFor(1, [11, 12, 13]);
  waitsFor(2, [14, 15]);
  end([
    { job: 14, awaited: true, result: '"d"' },
    { job: 11, awaited: true, result: '"a"' },
    { job: 15, awaited: true, result: '"e"' },
    { job: 13, awaited: true, result: '"c"' },
  ]);
  expect(outcomes(1)).toEqual([{ ok: "a" }, null, { ok: "c" }]);
  expect(outcomes(2)).toEqual([{ ok: "d" }, { ok: "e" }]);
  expect(woken()).toEqual([2]);
  end([{ job: 12, awaited: true, result: '"b"' }, { job: 16 }]);
  expect(outcomes(1)).toEqual([{ ok: "a" }, { ok: "b" }, { ok: "c" }]);
  expect(woken()).toEqual([1, 2]);
  expect(db.all("SELECT 1 FROM wait")).toEqual([]);
});

test("two calls that wait for the same child both get its result", () => {
  waitsFor(1, [11, 11]);
  waitsFor(2, [12, 11]);
  end([
    { job: 11, awaited: true, result: "1" },
    { job: 12, awaited: true, result: "2" },
  ]);
  expect(outcomes(1)).toEqual([{ ok: 1 }, { ok: 1 }]);
  expect(outcomes(2)).toEqual([{ ok: 2 }, { ok: 1 }]);
  expect(woken()).toEqual([1, 2]);
});

test("a parent that was cancelled and waits for nothing gets nothing, and its children end", () => {
  waitsFor(1, [11, 12]);
  waitsFor(2, [13]);
  db.exec("DELETE FROM wait WHERE job = 1; DELETE FROM waiting WHERE job = 1");
  end([
    { job: 11, awaited: true },
    { job: 12, awaited: true },
    { job: 13, awaited: true },
  ]);
  expect(outcomes(1)).toEqual([null, null]);
  expect(woken()).toEqual([2]);
  expect(done()).toHaveLength(3);
});

test("a call that was answered meanwhile keeps its answer", () => {
  waitsFor(1, [11, 12]);
  db.exec("UPDATE record SET outcome = '{\"ok\":0}' WHERE job = 1 AND position = 1");
  end([
    { job: 11, awaited: true, result: "1" },
    { job: 12, awaited: true, result: "2" },
  ]);
  expect(outcomes(1)).toEqual([{ ok: 0 }, { ok: 2 }]);
});

test("a run goes on though the last of its calls was answered meanwhile", () => {
  waitsFor(1, [11, 12]);
  db.exec("UPDATE record SET outcome = '{\"ok\":0}' WHERE job = 1 AND position = 2");
  end([
    { job: 11, awaited: true, result: "1" },
    { job: 12, awaited: true, result: "2" },
  ]);
  expect(outcomes(1)).toEqual([{ ok: 1 }, { ok: 0 }]);
  expect(woken()).toEqual([1]);
});

test("one lease that was taken away refuses all, before anything is written", () => {
  expect(() => end([{ job: 11 }, { job: 12, epoch: 6 }, { job: 13 }], [7])).toThrow(
    expect.objectContaining({ code: "LEASE_LOST" }),
  );
  expect(done()).toEqual([]);
  expect(db.all("SELECT epoch FROM lease ORDER BY epoch")).toEqual([
    expect.objectContaining({ epoch: 7 }),
    expect.objectContaining({ epoch: 8 }),
  ]);
});

test("a lease of which nothing is left goes with the last ends", () => {
  end([{ job: 11 }, { job: 12, epoch: 8 }], [7]);
  expect(db.all<{ epoch: number }>("SELECT epoch FROM lease").map(({ epoch }) => epoch)).toEqual([8]);
});

test("an end with anything to tidy or to keep is none of these", () => {
  const plain = { rules: { recordsEffects: false }, job: { keys: [], env: {} } };
  const completed = { kind: "completed", resultJson: "1" };
  const isPlain = (claim: object, end: object = completed): boolean => isPlainAttempt(claim as never, end as never);
  expect(isPlain(plain)).toBe(true);
  expect(isPlain({ ...plain, job: { keys: [], env: { awaited: true } } })).toBe(true);
  const others: readonly (readonly [claim: object, end?: object])[] = [
    [{ ...plain, job: { keys: [{ key: "a", limit: 1 }], env: {} } }],
    [{ ...plain, job: { keys: [], env: { since: 1 } } }],
    [{ ...plain, job: { keys: [], env: { approval: true } } }],
    [{ ...plain, rules: { recordsEffects: true } }],
    [{ ...plain, effect: {} }],
    [plain, { ...completed, kept: { folder: "", files: [] } }],
    [plain, { kind: "cancelled", error: {} }],
    [plain, { kind: "failed", error: {}, retryable: false }],
  ];
  for (const [claim, end] of others) expect(isPlain(claim, end), JSON.stringify([claim, end])).toBe(false);
});
