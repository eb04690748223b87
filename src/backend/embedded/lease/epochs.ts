import type { Connection } from "../../../database/connection.ts";

/** Epochs are taken from the database in blocks of this many, so that most claims write no counter. */
const EPOCH_BLOCK = 1_024;

/** Hands out fencing numbers that are never used again: what is left of a block when a process ends is lost. */
export class Epochs {
  #next = 0;
  #end = 0;

  /** Inside a transaction; the caller calls {@link forget} when that rolls back. */
  take(db: Connection): number {
    if (this.#next === this.#end) {
      const row = db.get<{ value: number }>(
        "INSERT INTO setting (name, value) VALUES ('epoch', ?1 + 1) ON CONFLICT DO UPDATE SET value = value + ?1 RETURNING value",
        EPOCH_BLOCK,
      );
      this.#end = row?.value ?? 0;
      this.#next = this.#end - EPOCH_BLOCK;
    }
    return this.#next++;
  }

  forget(): void {
    this.#next = this.#end;
  }
}
