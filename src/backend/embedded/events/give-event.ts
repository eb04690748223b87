import type { Transaction } from "../../../database/writer.ts";
import { settleCall } from "../queue/waits.ts";
import type { Notice } from "../rows/notice.ts";
import { takeEvent } from "./find-event.ts";

/**
 * Waits that one transaction ends: about 10 ms. All 100,000 of one event took a second in one transaction (10 µs each), in which
 * nobody else could write and this process did nothing else.
 */
const CHUNK = 1_000;

/** A stored event, and how far it was given. */
export interface GivenEvent {
  readonly id: number;
  readonly name: string;
  /** An outcome as it is stored. */
  readonly payload: string;
  readonly upto: number;
}

interface WaitRow {
  readonly job: number;
  readonly run: number;
  readonly position: number;
}

/** Gives the oldest event that not all have who waited for it to the next ones; returns true when there may be more to give. */
export function giveNext(tx: Transaction<Notice>): boolean {
  const event = tx.db.get<GivenEvent>(
    "SELECT id, name, payload, upto FROM event WHERE upto IS NOT NULL ORDER BY id LIMIT 1",
  );
  if (event === undefined) return false;
  give(tx, event);
  return true;
}

/** True when every job that waited for the event has it. */
export function isGiven(tx: Transaction<Notice>, event: number): boolean {
  return tx.db.get("SELECT 1 FROM event WHERE id = ? AND upto IS NOT NULL", event) === undefined;
}

/** Ends waits for an event, in the order of their jobs; each job is given it once. The record says how far this came. */
export function give(tx: Transaction<Notice>, event: GivenEvent): void {
  const waits = nextWaits(tx, event);
  const given = [...Map.groupBy(waits, ({ job }) => job).values()].flatMap(([first]) =>
    first !== undefined && giveTo(tx, event, first) ? [first] : [],
  ).length;
  const upto = waits.length < CHUNK ? null : (waits.at(-1)?.job ?? null);
  tx.db.run("UPDATE event SET given = given + ?, upto = ? WHERE id = ?", given, upto, event.id);
}

/** False for a job that found the event by itself meanwhile. */
function giveTo(tx: Transaction<Notice>, { id, payload }: GivenEvent, wait: WaitRow): boolean {
  if (tx.db.get("SELECT 1 FROM consumed WHERE job = ? AND event = ?", wait.job, id) !== undefined) return false;
  takeEvent(tx, wait.job, id);
  settleCall(tx, wait, wait.position, payload);
  return true;
}

/** The next waits that are older than the event and that it matches, whichever paths they look at. */
function nextWaits({ db }: Transaction<Notice>, { id, name, upto }: GivenEvent): WaitRow[] {
  const matches = db.all<{ shape: string; key: string }>("SELECT shape, key FROM event_match WHERE event = ?", id);
  return matches
    .flatMap(({ shape, key }) =>
      db.all<WaitRow>(
        `SELECT job, run, position FROM wait WHERE event = ? AND shape = ? AND key = ? AND job > ? AND after < ?
         ORDER BY job, run, position LIMIT ${CHUNK}`,
        name,
        shape,
        key,
        upto,
        id,
      ),
    )
    .sort((a, b) => a.job - b.job || a.run - b.run || a.position - b.position)
    .slice(0, CHUNK);
}
