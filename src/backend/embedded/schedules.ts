import { type Connection, readJson } from "../../database/connection.ts";
import type { Transaction } from "../../database/writer.ts";
import { AppError } from "../../error.ts";
import { canonicalJson } from "../../job/canonical-json.ts";
import type { ScheduleSpec, ScheduleState, ScheduleStore } from "../schedules.ts";
import type { Interned } from "./rows/intern.ts";
import type { JobNumbers } from "./rows/job-number.ts";
import type { Notice } from "./rows/notice.ts";

/** Slots that were decided over are remembered this long, far beyond any correction of a clock. */
const SLOT_KEPT_MS = 366 * 86_400_000;

interface ScheduleRow {
  readonly name: string;
  readonly body: string;
  readonly actor: number;
  readonly created: number;
  readonly paused: number;
  readonly next: number | null;
  readonly last: number | null;
  readonly job: number | null;
}

/** A slot that was fired is decided, also when its scheduler died before it could say so. */
const SELECT = `SELECT name, body, actor, created, paused, next,
    coalesce((SELECT max(s.instant) FROM schedule_slot s WHERE s.schedule = schedule.name AND s.instant >= schedule.next), last) AS last,
    (SELECT max(s.job) FROM schedule_slot s WHERE s.schedule = schedule.name) AS job
  FROM schedule`;

/** Stores a schedule; editing it starts over from now. */
export function putSchedule(
  tx: Transaction<Notice>,
  spec: ScheduleSpec,
  { actor, replace, firstAtMs }: { readonly actor: number; readonly replace: boolean; readonly firstAtMs: number },
): "created" | "unchanged" | "replaced" {
  // Two callers that say the same in another order mean the same.
  const body = canonicalJson(spec);
  const known = tx.db.get<{ body: string }>("SELECT body FROM schedule WHERE name = ?", spec.name);
  if (known?.body === body) return "unchanged";
  if (known !== undefined && !replace) {
    throw new AppError(
      "SCHEDULE_EXISTS",
      `schedule ${spec.name} exists with other content; use --replace to change it, or another name`,
    );
  }
  tx.db.run(
    `INSERT INTO schedule (name, body, actor, created, paused, next, last) VALUES (?, ?, ?, ?, 0, ?, NULL)
     ON CONFLICT DO UPDATE SET body = excluded.body, actor = excluded.actor, paused = 0, next = excluded.next, last = NULL`,
    spec.name,
    body,
    actor,
    tx.nowMs,
    firstAtMs,
  );
  tx.notify({ kind: "due", atMs: firstAtMs });
  return known === undefined ? "created" : "replaced";
}

/** Moves a schedule to its next slot, or pauses it. */
export function setNextSlot(tx: Transaction<Notice>, name: string, nextAtMs: number | undefined): boolean {
  const { changes } = tx.db.run(
    "UPDATE schedule SET paused = ?, next = ? WHERE name = ?",
    nextAtMs === undefined ? 1 : 0,
    nextAtMs ?? null,
    name,
  );
  if (nextAtMs !== undefined) tx.notify({ kind: "due", atMs: nextAtMs });
  return changes > 0;
}

/** Forgets a schedule; its jobs stay. Its slots stay too, so that one of the same name does not fire them again. */
export function removeSchedule(tx: Transaction<Notice>, name: string): boolean {
  return tx.db.run("DELETE FROM schedule WHERE name = ?", name).changes > 0;
}

/** Records what was decided over the slots that were due, unless another scheduler or an edit was faster. */
export function advanceSchedule(
  tx: Transaction<Notice>,
  name: string,
  decided: Parameters<ScheduleStore["advance"]>[1],
): void {
  const { changes } = tx.db.run(
    "UPDATE schedule SET next = ?, last = coalesce(?, last) WHERE name = ? AND paused = 0 AND next = ?",
    decided.nextAtMs,
    decided.lastAtMs,
    name,
    decided.expectedNextMs,
  );
  if (changes === 0) return;
  for (const { instantMs, reason } of decided.skipped) {
    tx.db.run(
      "INSERT INTO schedule_slot (schedule, instant, job, reason, missed) VALUES (?, ?, NULL, ?, 0) ON CONFLICT DO NOTHING",
      name,
      instantMs,
      reason,
    );
  }
  tx.db.run("DELETE FROM schedule_slot WHERE schedule = ? AND instant < ?", name, tx.nowMs - SLOT_KEPT_MS);
  if (decided.nextAtMs !== null) tx.notify({ kind: "due", atMs: decided.nextAtMs });
}

/** Reads schedules, by name; all when `where` is empty. */
export function readSchedules(
  { db, numbers, interned }: { readonly db: Connection; readonly numbers: JobNumbers; readonly interned: Interned },
  where: { readonly name?: string; readonly dueMs?: number },
): ScheduleState[] {
  const rows =
    where.name !== undefined
      ? db.all<ScheduleRow>(`${SELECT} WHERE name = ?`, where.name)
      : where.dueMs !== undefined
        ? db.all<ScheduleRow>(
            `${SELECT} WHERE paused = 0 AND next IS NOT NULL AND next <= ? ORDER BY next`,
            where.dueMs,
          )
        : db.all<ScheduleRow>(`${SELECT} ORDER BY name`);
  return rows.map((row) => ({
    ...readJson<ScheduleSpec>(row.body, `schedule ${row.name}`),
    actor: interned.actor(db, row.actor),
    createdAtMs: row.created,
    paused: row.paused === 1,
    nextAtMs: row.next,
    lastAtMs: row.last,
    lastJobId: row.job === null ? null : numbers.idOf(row.job),
  }));
}
