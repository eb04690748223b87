import type { Effect } from "../../../attempt/handlers.ts";
import { type Connection, readJson } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { RunOf } from "./entry.ts";
import type { Notice } from "./notice.ts";

/** What an attempt started outside, and in which folder it writes. */
export interface StoredEffect {
  readonly effect: Effect;
  readonly folder: string;
  readonly atMs: number;
}

/** True while something that was started outside may still be there for the next attempt to look after. */
export function hasEffect(db: Connection, { job, run }: RunOf): boolean {
  return db.get("SELECT 1 FROM effect WHERE job = ? AND run = ?", job, run) !== undefined;
}

/** What is to be looked after, `undefined` when nothing is. */
export function readEffect(db: Connection, { job, run }: RunOf): StoredEffect | undefined {
  const row = db.get<{ at: number; folder: string; body: string }>(
    "SELECT at, folder, body FROM effect WHERE job = ? AND run = ?",
    job,
    run,
  );
  return row === undefined
    ? undefined
    : { effect: readJson<Effect>(row.body, `effect of job ${job}`), folder: row.folder, atMs: row.at };
}

/** An effect is forgotten when its attempt has ended by itself. */
export function dropEffect(tx: Transaction<Notice>, { job, run }: RunOf): void {
  tx.db.run("DELETE FROM effect WHERE job = ? AND run = ?", job, run);
}
