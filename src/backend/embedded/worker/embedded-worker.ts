import type { Timer } from "../../../clock.ts";
import type { Transaction } from "../../../database/writer.ts";
import { toErrorRecord } from "../../../error.ts";
import type { BackendWorker } from "../../serving.ts";
import { claimOne } from "../attempts/claim-ready.ts";
import { reclaim } from "../attempts/reclaim.ts";
import type { Claim } from "../lease/claim.ts";
import { labelsCover } from "../rows/intern.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { closeWorker } from "../rows/worker-row.ts";
import { Attempts } from "../running/attempts.ts";
import { makeSlotMemory } from "../running/slots.ts";
import { Teller } from "../running/teller.ts";
import type { WorkerParts } from "../running/worker-parts.ts";
import { Claimer } from "./claimer.ts";
import { DueTimer } from "./due-timer.ts";
import { Heartbeat, type HeartbeatMessage } from "./heartbeat.ts";
import { Upkeep } from "./upkeep.ts";

/** How often the event loop says that it turns; the heartbeat thread takes five times this as blocked. */
const BEAT_MS = 100;
/** Attempts beyond the concurrency whose handlers were abandoned and may still be watched. */
const SPARE_SLOTS = 32;

/** One worker: claims, runs attempts, records their ends, and looks after what others left behind. */
export class EmbeddedWorker implements BackendWorker {
  readonly id: string;
  readonly stopped: Promise<void>;
  readonly #parts: WorkerParts;
  readonly #tell: Teller;
  readonly #heartbeat: Heartbeat;
  readonly #attempts: Attempts;
  readonly #claimer: Claimer;
  readonly #upkeep: Upkeep;
  readonly #due: DueTimer;
  readonly #beat: NodeJS.Timeout;
  #tickTimer: Timer | undefined;
  #graceTimer: Timer | undefined;
  #stopping: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  #onStopped: () => void = () => undefined;

  constructor(parts: WorkerParts) {
    const { options, clock } = parts;
    this.#parts = parts;
    this.id = parts.uuid;
    this.stopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
    this.#tell = new Teller(options.onEvent, clock);
    this.#heartbeat = this.#makeHeartbeat();
    this.#beat = setInterval(() => this.#heartbeat.slots.beat(), BEAT_MS).unref();
    this.#attempts = new Attempts({
      ...parts,
      slots: this.#heartbeat.slots,
      tell: this.#tell,
      onFree: () => this.#claimer.look(options.claims),
      onEnded: (job, final) => {
        this.#claimer.ended(job, final);
        if (this.#attempts.size === 0) this.#onIdle?.();
      },
    });
    this.#claimer = new Claimer({
      ...parts,
      workerId: parts.id,
      types: new Set(options.types.map(({ type }) => type.name)),
      labels: options.labels,
      leaseMs: parts.limits.leaseMs,
      hasParked: () => this.#attempts.hasParked,
      free: () => options.concurrency - this.#attempts.busy,
      onClaims: (claims) => this.take(claims),
      onError: (error) => this.#problem(error),
    });
    this.#upkeep = new Upkeep({
      ...parts,
      tell: this.#tell,
      onOutdated: () => void this.stop({ graceMs: parts.limits.drainMs }),
    });
    this.#due = new DueTimer({
      ...parts,
      onOverdue: (job) => this.#attempts.overdue(job),
      fireSchedules: options.claims ? options.fireSchedules : undefined,
      onError: (error) => this.#problem(error),
    });
  }

  /** Begins to work. */
  start(): void {
    this.#armTick();
    this.wake();
    // What became due while nobody ran.
    void this.#due.look();
  }

  /** Something may be ready or cancelled. Called by a file watcher too, where an error would end the process. */
  wake(): void {
    if (this.#stopping === undefined) this.#claimer.look(this.#parts.options.claims);
    try {
      this.#attempts.cancelRequested();
    } catch (error) {
      this.#problem(error);
    }
  }

  /** Something becomes due at a time. */
  dueAt(atMs: number): void {
    this.#due.at(atMs);
  }

  /** Claims a job inside the transaction that accepts it; the caller passes what this returns to {@link take} after the commit. */
  claimInside(tx: Transaction<Notice>, job: Pick<JobRow, "id" | "queue" | "rank">): readonly Claim[] {
    const { interned, epochs, id, options } = this.#parts;
    const { type, requires } = interned.queue(tx.db, job.queue);
    if (this.#stopping !== undefined || !this.#attempts.serves(type) || !labelsCover(options.labels, requires))
      return [];
    this.#claimer.want(job.id);
    return this.#attempts.busy < options.concurrency ? claimOne(tx, interned, epochs, id, job) : [];
  }

  /** Starts what was claimed. */
  take(claims: readonly Claim[]): void {
    for (const claim of claims) this.#attempts.begin(claim);
  }

  stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#graceTimer?.cancel();
    this.#stopping ??= this.#stop();
    this.#graceTimer = this.#parts.clock.after(graceMs, () => this.#attempts.stopAll());
    return this.stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ graceMs: 0 });
  }

  async #stop(): Promise<void> {
    const { writer, id, lock } = this.#parts;
    this.#claimer.stop();
    this.#due.stop();
    // Behind the claim that may be under way: what it takes is running when this returns.
    await writer
      .mutate((tx) => tx.db.run("UPDATE worker SET stopping = ? WHERE id = ?", tx.nowMs, id), { durable: false })
      .catch((error: unknown) => this.#problem(error));
    if (this.#attempts.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#attempts.evictParked();
    this.#graceTimer?.cancel();
    this.#tickTimer?.cancel();
    clearInterval(this.#beat);
    await writer.mutate((tx) => this.#close(tx)).catch((error: unknown) => this.#problem(error));
    await this.#heartbeat.stop();
    lock[Symbol.dispose]();
    this.#onStopped();
  }

  /** What could not be written for want of space, or is held unknowingly, goes to others: nobody looks after a stopped worker. */
  #close(tx: Transaction<Notice>): void {
    const { id, interned } = this.#parts;
    reclaim(tx, interned, id, "unknown");
    closeWorker(tx, id);
  }

  #armTick(): void {
    const { clock, limits } = this.#parts;
    this.#tickTimer = clock.after(limits.tickMs, () => void this.#tick(), { background: true });
  }

  /** The poll that finds whatever no wake file told of. */
  async #tick(): Promise<void> {
    try {
      await this.#attempts.checkLeases();
      await this.#due.look();
      await this.#attempts.sweepDurable();
      this.wake();
      if (this.#parts.options.claims && this.#stopping === undefined) await this.#upkeep.look();
    } catch (error) {
      this.#problem(error);
    }
    if (this.#stopping === undefined || this.#attempts.size > 0) this.#armTick();
  }

  #makeHeartbeat(): Heartbeat {
    const { db, id, limits, artifactRoot, options, numbers } = this.#parts;
    const { leaseMs, killGraceMs } = limits;
    const memory = makeSlotMemory(options.concurrency + SPARE_SLOTS);
    const onMessage = (message: HeartbeatMessage): void =>
      message.kind === "problem"
        ? this.#tell.problem(message.error)
        : this.#tell.problem({
            code: "TIMEOUT",
            message: `the handler of job ${numbers.idOf(message.job)} blocks the event loop beyond its timeout`,
          });
    return new Heartbeat(
      { databasePath: db.path, workerId: id, leaseMs, killGraceMs, artifactRoot, onStuck: options.onStuck, memory },
      onMessage,
    );
  }

  #problem(error: unknown): void {
    this.#tell.problem(toErrorRecord(error));
  }
}
