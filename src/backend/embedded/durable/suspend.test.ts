import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Connection } from "../../../database/connection.ts";
import { openDatabase } from "../../../database/open.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { Claim } from "../lease/claim.ts";
import type { Notice } from "../rows/notice.ts";
import { issueWait } from "./issue-wait.ts";
import { suspend } from "./suspend.ts";

let folder = "";
let db: Connection;
let tx: Transaction<Notice>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "suspend-"));
  db = openDatabase(join(folder, "w.db"), { mode: "write", nowMs: 1 });
  tx = { db, nowMs: 1, notify: () => undefined };
  db.exec("INSERT INTO lease (epoch, worker, at, jobs) VALUES (7, 1, 0, '[]')");
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const entry = { job: 1, run: 1, attempt: 2, failures: 1, crashes: 2, recover: 0 };
const claim = { epoch: 7, entry, job: { id: 1, actor: 1, env: { since: 0, deadline: 0 } } } as unknown as Claim;

function suspended(alive = true) {
  issueWait(tx, claim, { kind: "sleep", name: "1h", digest: "", position: 1 }, { kind: "sleep", forMs: 3_600_000 });
  return suspend(tx, { claim, worker: 1, others: () => [], code: { alive } });
}

test("what gets on is charged no crash any more, and keeps its attempt and failures", () => {
  expect(suspended()).toEqual({ kind: "suspended" });
  expect(db.get("SELECT attempt, failures, crashes FROM waiting")).toMatchObject({
    attempt: 2,
    failures: 1,
    crashes: 0,
  });
});

test("a deadline that passed while it ran is looked at again", () => {
  suspended();
  expect(db.get("SELECT at, job, kind FROM expiry")).toMatchObject({ at: 0, job: 1, kind: "deadline" });
});

test("a run that was asked to cancel meanwhile does not wait", () => {
  db.exec("INSERT INTO cancel_request (job, run, at, actor) VALUES (1, 1, 0, 1)");
  expect(suspended()).toEqual({ kind: "cancelled" });
  expect(db.get("SELECT 1 FROM waiting")).toBeUndefined();
});

test("code that has ended does not wait", () => {
  expect(() => suspended(false)).toThrow(expect.objectContaining({ code: "LEASE_LOST" }));
});
