import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Connection } from "../../../database/connection.ts";
import { openDatabase } from "../../../database/open.ts";
import type { Transaction } from "../../../database/writer.ts";
import { readApproveOptions } from "../../../job/durable/approve-options.ts";
import { NOTHING } from "../../../job/durable/outcome.ts";
import type { ApprovalParts } from "../approvals/approval-row.ts";
import type { Judged } from "../approvals/use-approval.ts";
import type { Claim } from "../lease/claim.ts";
import type { Notice } from "../rows/notice.ts";
import { answerCall, askPeople } from "./answer-call.ts";
import { issueWait } from "./issue-wait.ts";
import { recordCall } from "./record-call.ts";
import { type NewChild, startChild } from "./start-child.ts";
import { suspend } from "./suspend.ts";

// A worker that was frozen while another one took its job over goes on in the middle of a call: the file knows.

let folder = "";
let db: Connection;
let tx: Transaction<Notice>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lost-"));
  db = openDatabase(join(folder, "w.db"), { mode: "write", nowMs: 1 });
  tx = { db, nowMs: 1, notify: () => undefined };
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const entry = { job: 1, run: 1, attempt: 1, failures: 0, crashes: 0, recover: 0 };
const claim = { epoch: 7, entry, job: { id: 1, actor: 1, env: { since: 0 } } } as unknown as Claim;
const call = { kind: "step", name: "a", digest: "", position: 1 } as const;
const parts = {} as ApprovalParts;

test.each<[string, () => unknown]>([
  ["a step", () => recordCall(tx, claim, call, { outcome: NOTHING, again: false })],
  ["a step, in a crowd", () => recordCall(tx, claim, call, { outcome: NOTHING, again: false, crowded: true })],
  ["a sleep", () => issueWait(tx, claim, call, { kind: "sleep", forMs: 5 })],
  ["a wait", () => issueWait(tx, claim, call, { kind: "event", event: "go", match: { shape: "[]", key: "[]" } })],
  ["a child", () => startChild(tx, parts as never, { claim, call, awaited: true } as unknown as NewChild)],
  [
    "a question",
    () => {
      const request = readApproveOptions({ title: "a" });
      const { approvers, quorum, level, expiresInMs } = request;
      return askPeople(tx, parts, {
        claim,
        call,
        request,
        demand: { terms: { approvers, quorum, level }, expiresInMs },
      });
    },
  ],
  ["an answer", () => answerCall(tx, parts, claim, {} as Judged)],
  ["that it waits", () => suspend(tx, { claim, worker: 1, others: () => [], code: { alive: true } })],
])("%s is not recorded by a worker whose lease is gone", (_, act) => {
  expect(act).toThrow(expect.objectContaining({ code: "LEASE_LOST" }));
  for (const table of ["record", "record_tail", "wait", "waiting", "approval"])
    expect(db.get(`SELECT 1 FROM ${table}`), table).toBeUndefined();
});
