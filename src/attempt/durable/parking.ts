import type { Clock } from "../../clock.ts";
import type { ParkedRun } from "./run-durable-attempt.ts";

/** Waiting code that one worker keeps in memory at most, and for how long. */
const PARKED_MAX = 1_000;
const PARKED_MS = 15 * 60_000;
/** A look at a thousand of them takes about two milliseconds. */
const SWEEP_MS = 2_000;

interface Entry {
  readonly run: number;
  /** The attempt that it waits in. */
  readonly attempt: number;
  readonly code: ParkedRun;
  readonly atMono: number;
}

/**
 * Code of durable jobs that waits, in memory: it goes on without a replay, which would make n waits read n²/2 records. Whose
 * turn was longest ago goes first; its job is replayed when it wakes.
 */
export class Parking {
  readonly #clock: Pick<Clock, "monotonic">;
  /** In the order in which they were parked. */
  readonly #entries = new Map<number, Entry>();
  readonly #max: number;
  #sweptAtMono = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "monotonic">, max = PARKED_MAX) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Before the suspension is written, so that whoever wakes it at once finds it. */
  park(job: number, entry: Omit<Entry, "atMono">): void {
    this.#evict(job, entry.code);
    this.#entries.set(job, { ...entry, atMono: this.#clock.monotonic() });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#max && oldest !== undefined) this.#evict(oldest);
  }

  /** The code of a job whose next attempt begins; `undefined` when it is not here or another attempt came between. */
  take(job: number, run: number, attempt: number): ParkedRun | undefined {
    const entry = this.#entries.get(job);
    if (entry === undefined) return undefined;
    this.#entries.delete(job);
    if (entry.run === run && entry.attempt === attempt - 1) return entry.code;
    entry.code.coroutine.evict();
    return undefined;
  }

  /** It was not suspended after all. */
  unpark(job: number, code: ParkedRun): void {
    if (this.#entries.get(job)?.code === code) this.#entries.delete(job);
  }

  /** Evicts what has waited long, and from time to time what has ended without going on here. */
  sweep(hasEnded: (job: number, run: number) => boolean): void {
    const now = this.#clock.monotonic();
    if (this.#entries.size === 0 || now - this.#sweptAtMono < SWEEP_MS) return;
    this.#sweptAtMono = now;
    for (const [job, { atMono, run }] of [...this.#entries])
      if (atMono < now - PARKED_MS || hasEnded(job, run)) this.#evict(job);
  }

  /** The worker stops. */
  clear(): void {
    for (const job of [...this.#entries.keys()]) this.#evict(job);
  }

  #evict(job: number, unless?: ParkedRun): void {
    const entry = this.#entries.get(job);
    this.#entries.delete(job);
    if (entry !== undefined && entry.code !== unless) entry.code.coroutine.evict();
  }
}
