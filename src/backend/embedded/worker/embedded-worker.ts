import type { Timer } from "../../../clock.ts";
import { Checkpointer } from "../../../database/checkpoint.ts";
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
import { Attempts } from "./attempts.ts";
import { Claimer } from "./claimer.ts";
import { DueTimer } from "./due-timer.ts";
import { Heartbeat, type HeartbeatMessage } from "./heartbeat.ts";
import type { WorkerParts } from "./parts.ts";
import { makeSlotMemory } from "./slots.ts";
import { Teller } from "./teller.ts";
import { Watchdog } from "./watchdog.ts";

const HOUR_MS = 3_600_000;
/** The first round of retention comes this long after the start. */
const FIRST_ROUND_MS = 60_000;
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
  readonly #watchdog: Watchdog;
  readonly #checkpointer: Checkpointer;
  readonly #due: DueTimer;
  readonly #beat: NodeJS.Timeout;
  #tickTimer: Timer | undefined;
  #graceTimer: Timer | undefined;
  #retainedAtMono: number;
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
    this.#retainedAtMono = clock.monotonic() - HOUR_MS + FIRST_ROUND_MS;
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
    this.#watchdog = this.#makeWatchdog();
    this.#checkpointer = new Checkpointer({ ...parts, onStarved: (error) => this.#tell.problem(error) });
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
      if (this.#parts.options.claims && this.#stopping === undefined) await this.#lookAfterOthers();
    } catch (error) {
      this.#problem(error);
    }
    if (this.#stopping === undefined || this.#attempts.size > 0) this.#armTick();
  }

  async #lookAfterOthers(): Promise<void> {
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
    const { db, schema, limits } = this.#parts;
    const writerMin = db.get<{ value: number }>("SELECT value FROM setting WHERE name = 'writer_min'")?.value ?? 0;
    if (writerMin <= schema) return;
    const message = `the database was migrated and wants workers of schema ${writerMin} or newer; this one (schema ${schema}) finishes its jobs and stops`;
    this.#tell.problem({ code: "DATABASE_NEWER", message });
    void this.stop({ graceMs: limits.drainMs });
  }

  #makeHeartbeat(): Heartbeat {
    const { db, id, limits, artifactRoot, options, numbers } = this.#parts;
    const { leaseMs, killGraceMs } = limits;
    const memory = makeSlotMemory(options.concurrency + SPARE_SLOTS);
    const onMessage = (message: HeartbeatMessage): void =>
      message.kind === "problem"
        ? this.#tell.problem({ code: "INTERNAL", message: message.message })
        : this.#tell.problem({
            code: "TIMEOUT",
            message: `the handler of job ${numbers.idOf(message.job)} blocks the event loop beyond its timeout`,
          });
    return new Heartbeat(
      { databasePath: db.path, workerId: id, leaseMs, killGraceMs, artifactRoot, onStuck: options.onStuck, memory },
      onMessage,
    );
  }

  #makeWatchdog(): Watchdog {
    const { machine, id, limits, numbers } = this.#parts;
    return new Watchdog({
      ...this.#parts,
      boot: machine.boot,
      ownId: id,
      leaseMs: limits.leaseMs,
      onReclaimed: (worker, reason, jobs) => {
        const from = `${worker.host}:${worker.pid}`;
        for (const { job } of jobs) this.#tell.event({ kind: "reclaimed", jobId: numbers.idOf(job), from, reason });
      },
    });
  }

  #problem(error: unknown): void {
    this.#tell.problem(toErrorRecord(error));
  }
}
