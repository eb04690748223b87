/**
 * What runs in this process, in memory that the heartbeat thread shares: writing a row costs a few stores, where a message
 * for each attempt would cost more than many attempts do. A row is live while its deadline is not 0; the deadline is
 * written last and cleared first.
 */
const FIELDS = 8;
const DEADLINE = 0;
const BY_DEADLINE = 5;

/** One running attempt. */
export interface SlotRow {
  /** Monotonic milliseconds at which its timeout passes. */
  readonly deadlineMono: number;
  readonly epoch: number;
  readonly job: number;
  readonly run: number;
  readonly attempt: number;
  /** 1 when the timeout is the job's deadline. */
  readonly byDeadline: boolean;
}

/** The shared memory itself: a counter that the main loop bumps, and the rows. */
export interface SlotMemory {
  readonly beats: SharedArrayBuffer;
  readonly rows: SharedArrayBuffer;
}

/** Makes the memory for `count` attempts. */
export function makeSlotMemory(count: number): SlotMemory {
  return { beats: new SharedArrayBuffer(4), rows: new SharedArrayBuffer(count * FIELDS * 8) };
}

/** Reads and writes the shared rows; each thread has its own view. */
export class Slots {
  readonly #beats: Int32Array;
  readonly #rows: Float64Array;
  readonly #free: number[] = [];

  constructor({ beats, rows }: SlotMemory) {
    this.#beats = new Int32Array(beats);
    this.#rows = new Float64Array(rows);
    for (let index = this.#rows.length / FIELDS - 1; index >= 0; index--) this.#free.push(index);
  }

  /** Says that the event loop turns. */
  beat(): void {
    Atomics.add(this.#beats, 0, 1);
  }

  get beats(): number {
    return Atomics.load(this.#beats, 0);
  }

  /** Returns the row's index; -1 when all are taken, and then that attempt is not watched. */
  enter(row: SlotRow): number {
    const index = this.#free.pop();
    if (index === undefined) return -1;
    const rows = this.#rows;
    const at = index * FIELDS;
    rows[at + 1] = row.epoch;
    rows[at + 2] = row.job;
    rows[at + 3] = row.run;
    rows[at + 4] = row.attempt;
    rows[at + BY_DEADLINE] = row.byDeadline ? 1 : 0;
    rows[at + DEADLINE] = row.deadlineMono;
    return index;
  }

  /** Gives a row another deadline. */
  move(index: number, { deadlineMono, byDeadline }: Pick<SlotRow, "deadlineMono" | "byDeadline">): void {
    if (index < 0) return;
    this.#rows[index * FIELDS + BY_DEADLINE] = byDeadline ? 1 : 0;
    this.#rows[index * FIELDS + DEADLINE] = deadlineMono;
  }

  leave(index: number): void {
    if (index < 0) return;
    this.#rows[index * FIELDS + DEADLINE] = 0;
    this.#free.push(index);
  }

  /** The rows whose deadline passed before a time. */
  overdue(beforeMono: number): SlotRow[] {
    const found: SlotRow[] = [];
    for (let at = 0; at < this.#rows.length; at += FIELDS) {
      const [deadlineMono = 0, epoch = 0, job = 0, run = 0, attempt = 0, byDeadline = 0] = this.#rows.subarray(
        at,
        at + FIELDS,
      );
      if (deadlineMono !== 0 && deadlineMono < beforeMono)
        found.push({ deadlineMono, epoch, job, run, attempt, byDeadline: byDeadline === 1 });
    }
    return found;
  }
}
