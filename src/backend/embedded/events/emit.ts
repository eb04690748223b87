import type { Transaction, Writer } from "../../../database/writer.ts";
import type { Notice } from "../rows/notice.ts";
import { enterEvent } from "./find-event.ts";
import { give, giveNext, isGiven } from "./give-event.ts";

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
  /** False while jobs that waited for it do not have it; {@link giveToAll} or any worker goes on. */
  readonly given: boolean;
}

/**
 * Stores an event and gives it to those who wait for it, in one transaction up to about a thousand; a crash after it loses
 * nothing, because the event is marked until all have it. One that comes while an earlier one of its name is being given waits
 * its turn, so that all get them in their order.
 */
export function emit(tx: Transaction<Notice>, { name, key, actor, payload, stored }: NewEvent): Emission {
  if (key !== undefined) {
    const known = tx.db.get<{ id: number }>("SELECT id FROM event WHERE name = ? AND key = ?", name, key);
    if (known !== undefined) return { event: known.id, existing: true, given: true };
  }
  const id = newestEvent(tx) + 1;
  const isBehind = tx.db.get("SELECT 1 FROM event WHERE name = ? AND upto IS NOT NULL", name) !== undefined;
  tx.db.run(
    "INSERT INTO event (id, name, key, at, actor, payload, upto) VALUES (?, ?, ?, ?, ?, ?, 0)",
    id,
    name,
    key ?? null,
    tx.nowMs,
    actor,
    stored,
  );
  for (const { shape } of tx.db.all<{ shape: string }>("SELECT shape FROM event_shape WHERE name = ?", name))
    enterEvent(tx, { id, name, shape, payload });
  if (!isBehind) give(tx, { id, name, payload: stored, upto: 0 });
  return { event: id, existing: false, given: isGiven(tx, id) };
}

/** Goes on until all who waited for an event have it; others write between the commits. */
export async function giveToAll(writer: Writer<Notice>, event: number): Promise<void> {
  const giveSome = (tx: Transaction<Notice>): boolean => {
    giveNext(tx);
    return isGiven(tx, event);
  };
  while (!(await writer.mutate(giveSome)));
}

/** How many jobs an event was given to when it came. */
export function givenCount({ db }: Pick<Transaction<Notice>, "db">, event: number): number {
  return db.get<{ given: number }>("SELECT given FROM event WHERE id = ?", event)?.given ?? 0;
}

/** Numbers are never used again: the newest event is never removed. */
export function newestEvent({ db }: Pick<Transaction<Notice>, "db">): number {
  return db.get<{ id: number | null }>("SELECT max(id) AS id FROM event")?.id ?? 0;
}
