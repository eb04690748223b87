import type { Transaction } from "../../../database/writer.ts";
import type { JobNumber } from "../job-number.ts";
import type { Notice } from "../notice.ts";
import { enterEvent, takeEvent } from "./find-event.ts";
import { settleCall } from "./wake.ts";

/** An event to store. */
export interface NewEvent {
  readonly name: string;
  /** Whoever emits names it; the same name and id are stored once. */
  readonly key?: string;
  readonly actor: number;
  readonly payload: unknown;
  /** The payload as the outcome of those who wait for it, as it is stored. */
  readonly stored: string;
}

/** What came of it. */
export interface Emission {
  readonly event: number;
  /** True when the id was known: nothing was stored. */
  readonly existing: boolean;
  /** Jobs that it was given to at once. */
  readonly given: number;
}

/** Stores an event and gives it to all who wait for it, in one transaction. Each job is given it once. */
export function emit(tx: Transaction<Notice>, { name, key, actor, payload, stored }: NewEvent): Emission {
  if (key !== undefined) {
    const known = tx.db.get<{ id: number }>("SELECT id FROM event WHERE name = ? AND key = ?", name, key);
    if (known !== undefined) return { event: known.id, existing: true, given: 0 };
  }
  const id = newestEvent(tx) + 1;
  tx.db.run(
    "INSERT INTO event (id, name, key, at, actor, payload) VALUES (?, ?, ?, ?, ?, ?)",
    id,
    name,
    key ?? null,
    tx.nowMs,
    actor,
    stored,
  );
  const given = new Set<JobNumber>();
  for (const { shape } of tx.db.all<{ shape: string }>("SELECT shape FROM event_shape WHERE name = ?", name)) {
    const at = enterEvent(tx, { id, name, shape, payload });
    if (at === undefined) continue;
    const waits = tx.db.all<{ job: number; run: number; position: number }>(
      "SELECT job, run, position FROM wait WHERE event = ? AND shape = ? AND key = ? ORDER BY job, run, position",
      name,
      shape,
      at,
    );
    for (const wait of waits) {
      if (given.has(wait.job)) continue;
      given.add(wait.job);
      takeEvent(tx, wait.job, id);
      settleCall(tx, wait, wait.position, stored);
    }
  }
  return { event: id, existing: false, given: given.size };
}

/** Numbers are never used again: the newest event is never removed. */
export function newestEvent({ db }: Pick<Transaction<Notice>, "db">): number {
  return db.get<{ id: number | null }>("SELECT max(id) AS id FROM event")?.id ?? 0;
}
