import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Connection } from "../../../database/connection.ts";
import { openDatabase } from "../../../database/open.ts";
import type { Claim } from "../lease/claim.ts";
import { newestLook } from "../reading/newest-look.ts";
import { type Entry, GOES_ON } from "../rows/entry.ts";
import { putOff } from "./put-off.ts";

const RUN = { job: 11, run: 1 };
const ERROR = { code: "APPROVAL_UNVERIFIED", message: "ssh-keygen is gone" } as const;

let folder = "";
let db: Connection;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "put-off-"));
  db = openDatabase(join(folder, "w.db"), { mode: "write", nowMs: 1 });
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

/** Puts the run's second attempt off, and takes it out again. */
function look(nowMs: number, { recover = 0, env = {} }: { readonly recover?: number; readonly env?: object } = {}) {
  const entry: Entry = { ...RUN, attempt: 2, failures: 1, crashes: 0, recover };
  const claim = { epoch: 7, entry, job: { id: RUN.job, keys: [], env } } as unknown as Claim;
  putOff({ db, nowMs, notify: () => undefined }, { claim, worker: 3 }, ERROR);
  const row = db.get("SELECT due, reason, attempt, failures, recover FROM delayed WHERE job = ?", RUN.job);
  db.exec("DELETE FROM delayed");
  return row;
}

const looks = (): unknown[] =>
  db
    .all<{ data: string }>("SELECT data FROM history ORDER BY seq")
    .map(({ data }) => (JSON.parse(data) as { looks: number }).looks);

test("the attempt is not counted, and the run goes on as one that was let in before", () => {
  expect(look(5_000)).toEqual({ due: 6_000, reason: "verify", attempt: 1, failures: 1, recover: GOES_ON });
  expect(newestLook(db, RUN)?.data).toMatchObject({ attempt: 2, worker: 3, error: ERROR, looks: 1, retry_at: 6_000 });
});

test("what a lost worker left is still looked for", () => {
  expect(look(5_000, { recover: 1 })).toMatchObject({ recover: 1 });
});

test("the deadline of a run is watched again", () => {
  look(5_000, { env: { deadline: 5_500 } });
  expect(db.all("SELECT at, kind FROM expiry")).toEqual([{ at: 5_500, kind: "deadline" }]);
});

test("a look long after the one before is the first of another outage", () => {
  look(5_000);
  expect(look(6_000)).toMatchObject({ due: 8_000 });
  expect(look(8_000 + 600_000)).toMatchObject({ due: 609_000 });
  expect(looks()).toEqual([2, 1]);
});

test("one that was cancelled meanwhile is taken at once", () => {
  db.exec("INSERT INTO cancel_request (job, run, at, actor) VALUES (11, 1, 0, 1)");
  expect(look(5_000)).toMatchObject({ due: 5_000, reason: "verify" });
});
