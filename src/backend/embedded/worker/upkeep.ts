import { Checkpointer } from "../../../database/checkpoint.ts";
import type { Teller } from "../running/teller.ts";
import type { WorkerParts } from "../running/worker-parts.ts";
import { Watchdog } from "./watchdog.ts";

const HOUR_MS = 3_600_000;
/** The first round of retention comes this long after the start. */
const FIRST_ROUND_MS = 60_000;

/** What upkeep needs beside the worker's parts. */
export interface UpkeepParts extends WorkerParts {
  readonly tell: Teller;
  /** The database wants newer workers than this one. */
  readonly onOutdated: () => void;
}

/** What a worker does for all who use the database: workers that are gone, the log of SQLite, the schema, retention. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #watchdog: Watchdog;
  readonly #checkpointer: Checkpointer;
  #retainedAtMono: number;

  constructor(parts: UpkeepParts) {
    const { clock, tell } = parts;
    this.#parts = parts;
    this.#watchdog = makeWatchdog(parts);
    this.#checkpointer = new Checkpointer({ ...parts, onStarved: (error) => tell.problem(error) });
    this.#retainedAtMono = clock.monotonic() - HOUR_MS + FIRST_ROUND_MS;
  }

  /** Once a tick. */
  async look(): Promise<void> {
    const { limits, clock, retain } = this.#parts;
    await this.#watchdog.look(limits.tickMs);
    this.#checkpointer.look();
    this.#drainIfOlder();
    if (clock.monotonic() - this.#retainedAtMono < HOUR_MS) return;
    this.#retainedAtMono = clock.monotonic();
    await retain();
  }

  /** A newer version changed the schema in a way that this one must not write to: it finishes what it has and stops. */
  #drainIfOlder(): void {
    const { db, schema, tell, onOutdated } = this.#parts;
    const writerMin = db.get<{ value: number }>("SELECT value FROM setting WHERE name = 'writer_min'")?.value ?? 0;
    if (writerMin <= schema) return;
    const message = `the database was migrated and wants workers of schema ${writerMin} or newer; this one (schema ${schema}) finishes its jobs and stops`;
    tell.problem({ code: "DATABASE_NEWER", message });
    onOutdated();
  }
}

function makeWatchdog(parts: UpkeepParts): Watchdog {
  const { machine, id, limits, numbers, tell } = parts;
  return new Watchdog({
    ...parts,
    boot: machine.boot,
    ownId: id,
    leaseMs: limits.leaseMs,
    onReclaimed: (worker, reason, jobs) => {
      const from = `${worker.host}:${worker.pid}`;
      for (const { job } of jobs) tell.event({ kind: "reclaimed", jobId: numbers.idOf(job), from, reason });
    },
  });
}
