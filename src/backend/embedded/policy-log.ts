import { existsSync } from "node:fs";
import type { Clock } from "../../clock.ts";
import type { Connection } from "../../database/connection.ts";
import { openDatabase } from "../../database/open.ts";
import { type Transaction, Writer } from "../../database/writer.ts";
import type { Denial } from "../../policy/in-force.ts";
import type { DenialFilter, LimitedUse, PolicyLog, RecordedDenial } from "../policy-log.ts";
import type { Notice } from "./rows/notice.ts";

const MINUTE_MS = 60_000;
/** An hour, and the minute that has begun: never more than the limit in any 60 minutes. */
const MINUTES = 60;
/** The newest stay; whoever asks in a loop fills no disk. */
const DENIALS_MAX = 10_000;

/** The log of the policy in the database. */
export function policyLog({
  db,
  writer,
  clock,
}: {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly clock: Clock;
}): PolicyLog {
  return {
    recordDenial: (denial) => writer.mutate((tx) => recordDenial(tx, denial)),
    denials: async (filter) => denials(db, filter),
    takeUse: (use) => writer.mutate((tx) => takeUse(tx, use)),
    usedBy: async (actor) => usedBy(db, actor, clock.now()),
  };
}

/**
 * The log of the policy for who has no database open for writing. Opens it for each call, as it is: a refusal makes no
 * database, and migrates none.
 */
export function policyLogAt(path: string, clock: Clock): PolicyLog {
  const write = async (action: (log: PolicyLog) => Promise<void>): Promise<void> => {
    const db = openDatabase(path, { mode: "write", nowMs: clock.now() });
    const writer = new Writer<Notice>(db, clock, { onCommit: () => undefined, onRollback: () => undefined });
    try {
      await action(policyLog({ db, writer, clock }));
    } finally {
      await writer.close();
      db.close();
    }
  };
  const read = <T>(look: (db: Connection) => T, none: T): T => {
    if (!existsSync(path)) return none;
    const db = openDatabase(path, { mode: "read", nowMs: clock.now() });
    try {
      return look(db);
    } finally {
      db.close();
    }
  };
  return {
    recordDenial: async (denial) => (existsSync(path) ? write((log) => log.recordDenial(denial)) : undefined),
    takeUse: (use) => write((log) => log.takeUse(use)),
    denials: async (filter) => read((db) => denials(db, filter), []),
    usedBy: async (actor) => read((db) => usedBy(db, actor, clock.now()), {}),
  };
}

function recordDenial(tx: Transaction<Notice>, denial: Denial): void {
  const { actor, operation, type, rule, inputDigest, policyDigest } = denial;
  const { lastInsertRowid } = tx.db.run(
    "INSERT INTO denial (at, actor, operation, type, rule, digest, policy) VALUES (?, ?, ?, ?, ?, ?, ?)",
    tx.nowMs,
    actor,
    operation,
    type,
    rule,
    inputDigest,
    policyDigest,
  );
  tx.db.run("DELETE FROM denial WHERE id <= ?", Number(lastInsertRowid) - DENIALS_MAX);
}

function denials(db: Connection, { limit, sinceMs = 0 }: DenialFilter): readonly RecordedDenial[] {
  return db.all<RecordedDenial>(
    "SELECT at AS atMs, actor, operation, type, rule, digest AS inputDigest, policy AS policyDigest FROM denial WHERE at >= ? ORDER BY id DESC LIMIT ?",
    sinceMs,
    limit,
  );
}

/**
 * Counts a use of a limited rule, by minutes: an hour of one actor is 61 rows at most, whatever the limit.
 *
 * @throws AppError when the limit is used up.
 */
export function takeUse(tx: Transaction<Notice>, { actor, rule, perHour, refuse }: LimitedUse): void {
  const used = usedBy(tx.db, actor, tx.nowMs)[rule] ?? 0;
  if (used >= perHour) throw refuse(used);
  tx.db.run(
    "INSERT INTO policy_use (actor, rule, minute, used) VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET used = used + 1",
    actor,
    rule,
    Math.floor(tx.nowMs / MINUTE_MS),
  );
}

/** Counts of a clock that was ahead are counted too: setting it back gives nobody more. */
function usedBy(db: Connection, actor: string, nowMs: number): Readonly<Record<string, number>> {
  const rows = db.all<{ rule: string; used: number }>(
    "SELECT rule, sum(used) AS used FROM policy_use WHERE actor = ? AND minute >= ? GROUP BY rule",
    actor,
    Math.floor(nowMs / MINUTE_MS) - MINUTES,
  );
  return Object.fromEntries(rows.map(({ rule, used }) => [rule, used]));
}

/** Removes what no hour and no retention needs any more. */
export function sweepPolicyLog(tx: Transaction<Notice>, beforeMs: number): void {
  tx.db.run("DELETE FROM denial WHERE at < ?", beforeMs);
  tx.db.run("DELETE FROM policy_use WHERE minute < ?", Math.floor(tx.nowMs / MINUTE_MS) - MINUTES);
}
