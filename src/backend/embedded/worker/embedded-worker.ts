import { DeadlineWheel } from "../../../attempt/deadline-wheel.ts";
import type { MachineIdentity } from "../../../attempt/handlers.ts";
import { runAttempt } from "../../../attempt/run-attempt.ts";
import type { AttemptEnd, AttemptRequest, AttemptServices } from "../../../attempt/services.ts";
import type { Clock, Timer } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import type { LivenessLock } from "../../../database/liveness.ts";
import type { Transaction, Writer } from "../../../database/writer.ts";
import { type ErrorRecord, isAppError, toErrorRecord } from "../../../error.ts";
import type { JobLimits } from "../../../job/limits.ts";
import { formatActor } from "../../../policy/actor.ts";
import type { BackendWorker, ServedType, ServeOptions, WorkerEvent } from "../../backend.ts";
import { traceOf } from "../accept.ts";
import { type Claim, claimOne } from "../claim.ts";
import { type AttemptResult, endAttempt } from "../end-attempt.ts";
import type { Interned } from "../intern.ts";
import type { JobNumber, JobNumbers } from "../job-number.ts";
import type { JobRow } from "../job-row.ts";
import type { Epochs } from "../lease.ts";
import { moveKept } from "../move-kept.ts";
import type { Notice } from "../notice.ts";
import { promoteDue } from "../promote-due.ts";
import { readInput } from "../reading/status.ts";
import { recordEffect } from "../record-effect.ts";
import { recordProgress } from "../record-progress.ts";
import { closeWorker } from "../workers.ts";
import { Claimer } from "./claimer.ts";
import { Heartbeat } from "./heartbeat.ts";
import { newControl, type Running, RunningSet } from "./running.ts";
import { makeSlotMemory } from "./slots.ts";
import { Watchdog } from "./watchdog.ts";

/** What configuration says about workers. Milliseconds and bytes. */
export interface WorkerLimits {
  readonly leaseMs: number;
  readonly tickMs: number;
  readonly killGraceMs: number;
  readonly keptBytes: number;
  /** How long attempts may finish when this worker must stop by itself. */
  readonly drainMs: number;
}

/** What an embedded worker is put together from. */
export interface WorkerParts {
  readonly id: number;
  readonly uuid: string;
  readonly lock: LivenessLock;
  /** The schema that this program writes. */
  readonly schema: number;
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly clock: Clock;
  readonly numbers: JobNumbers;
  readonly interned: Interned;
  readonly epochs: Epochs;
  readonly limits: JobLimits & WorkerLimits;
  readonly machine: MachineIdentity;
  readonly artifactRoot: string;
  readonly options: ServeOptions;
  /** Removes what is past retention; called once an hour. */
  readonly retain: () => Promise<void>;
}

/** A worker that stops gives up writing after this many tries; its leases stay for whoever comes next. */
const LATE_WRITES_MAX = 5;
const HOUR_MS = 3_600_000;
/** A write that the disk refused is tried again this often; the lease is kept meanwhile. */
const WRITE_RETRY_MS = 1_000;
/** How much longer than the kill grace a stopping worker waits for handlers that do not listen. */
const ABANDON_AFTER_MS = 1_000;

/** One worker: claims, runs attempts, records their ends, and looks after what others left behind. */
export class EmbeddedWorker implements BackendWorker {
  readonly id: string;
  readonly stopped: Promise<void>;
  readonly #parts: WorkerParts;
  readonly #running = new RunningSet();
  readonly #served: ReadonlyMap<string, ServedType>;
  readonly #wheel: DeadlineWheel;
  readonly #heartbeat: Heartbeat;
  readonly #claimer: Claimer;
  readonly #watchdog: Watchdog;
  #busySlots = 0;
  #tickTimer: Timer | undefined;
  #dueTimer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #retainedAtMono: number;
  #stopping: Promise<void> | undefined;
  #graceTimer: Timer | undefined;
  #idle: (() => void) | undefined;
  #aborting = false;
  #lateWrites = 0;
  #onStopped: () => void = () => undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.id = parts.uuid;
    const { options, limits, clock, db, writer, interned, epochs, id, machine } = parts;
    this.stopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
    this.#served = new Map(options.types.map((served) => [served.type.name, served]));
    this.#wheel = new DeadlineWheel(clock);
    this.#retainedAtMono = clock.monotonic() - HOUR_MS + 60_000;
    const { leaseMs, killGraceMs } = limits;
    this.#heartbeat = new Heartbeat(
      {
        databasePath: db.path,
        workerId: id,
        leaseMs,
        killGraceMs,
        artifactRoot: parts.artifactRoot,
        onStuck: options.onStuck,
        memory: makeSlotMemory(options.concurrency + 32),
      },
      (message) =>
        this.#problem(
          message.kind === "problem"
            ? { code: "INTERNAL", message: message.message }
            : {
                code: "TIMEOUT",
                message: `the handler of job ${parts.numbers.idOf(message.job)} blocks the event loop beyond its timeout`,
              },
        ),
    );
    this.#claimer = new Claimer({
      db,
      writer,
      clock,
      interned,
      epochs,
      workerId: id,
      types: new Set(this.#served.keys()),
      labels: options.labels,
      free: () => options.concurrency - this.#busySlots,
      onClaims: (claims) => this.take(claims),
      onError: (error) => this.#onWriteError(error),
    });
    this.#watchdog = new Watchdog({
      db,
      writer,
      clock,
      interned,
      boot: machine.boot,
      ownId: id,
      leaseMs,
      onReclaimed: (worker, reason, jobs) => {
        for (const { job } of jobs)
          this.#tell({
            kind: "reclaimed",
            jobId: parts.numbers.idOf(job),
            from: `${worker.host}:${worker.pid}`,
            reason,
          });
      },
    });
  }

  /** Begins to work. */
  start(): void {
    this.#armTick();
    this.wake();
  }

  /** Something may be ready, due or cancelled. */
  wake(): void {
    if (this.#stopping === undefined) this.#claimer.look(this.#parts.options.claims);
    if (this.#running.size > 0) this.#lookForCancels();
  }

  /** Something becomes due at a time. */
  dueAt(atMs: number): void {
    if (this.#dueTimer !== undefined && this.#dueTimer.atMs <= atMs) return;
    this.#dueTimer?.timer.cancel();
    const timer = this.#parts.clock.after(Math.max(0, atMs - this.#parts.clock.now()), () => void this.#onDue(), {
      background: true,
    });
    this.#dueTimer = { atMs, timer };
  }

  /** Claims a job inside the transaction that accepts it; the caller passes what this returns to {@link take} after the commit. */
  claimInside(tx: Transaction<Notice>, job: Pick<JobRow, "id" | "queue" | "rank">): readonly Claim[] {
    this.#claimer.want(job.id);
    return this.#busySlots < this.#parts.options.concurrency
      ? claimOne(tx, this.#parts.interned, this.#parts.epochs, this.#parts.id, job)
      : [];
  }

  /** Starts what was claimed. */
  take(claims: readonly Claim[]): void {
    for (const claim of claims) this.#begin(claim);
  }

  stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#graceTimer?.cancel();
    this.#stopping ??= this.#stop();
    this.#graceTimer = this.#parts.clock.after(graceMs, () => this.#abortAll());
    return this.stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ graceMs: 0 });
  }

  async #stop(): Promise<void> {
    const { writer, id, lock } = this.#parts;
    this.#claimer.stop();
    await writer
      .mutate((tx) => tx.db.run("UPDATE worker SET stopping = ? WHERE id = ?", tx.nowMs, id), { durable: false })
      .catch((error: unknown) => this.#problem(toErrorRecord(error)));
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#graceTimer?.cancel();
    this.#tickTimer?.cancel();
    this.#dueTimer?.timer.cancel();
    await writer.mutate((tx) => closeWorker(tx, id)).catch((error: unknown) => this.#problem(toErrorRecord(error)));
    await this.#heartbeat.stop();
    lock[Symbol.dispose]();
    this.#onStopped();
  }

  #abortAll(): void {
    this.#aborting = true;
    for (const { control } of this.#running.all()) control.stop("stopping");
    this.#parts.clock.after(
      this.#parts.limits.killGraceMs + ABANDON_AFTER_MS,
      () => {
        for (const { control } of this.#running.all()) control.abandon();
      },
      { background: true },
    );
  }

  #begin(claim: Claim): void {
    const { numbers, interned, db, clock, limits } = this.#parts;
    const { type } = interned.queue(db, claim.job.queue);
    const served = this.#served.get(type);
    if (served === undefined) return;
    this.#busySlots++;
    const jobId = numbers.idOf(claim.entry.job);
    const control = newControl();
    const leftMs =
      claim.job.env.deadline === undefined ? Number.POSITIVE_INFINITY : claim.job.env.deadline - clock.now();
    const byDeadline = leftMs < claim.rules.timeoutMs;
    const limitMs = Math.max(0, Math.min(leftMs, claim.rules.timeoutMs));
    const startedMono = clock.monotonic();
    const { epoch, entry } = claim;
    const slot = this.#heartbeat.slots.enter({
      deadlineMono: startedMono + limitMs,
      epoch,
      job: entry.job,
      run: entry.run,
      attempt: entry.attempt,
      byDeadline,
    });
    const running: Running = {
      claim,
      served,
      control,
      jobId,
      traceId: claim.job.env.trace ?? traceOf(jobId),
      startedMono,
      slot,
    };
    this.#running.add(running);
    this.#wheel.set(running, limitMs, () => {
      control.stop("timeout", { byDeadline });
      this.#wheel.set(running, limits.killGraceMs + ABANDON_AFTER_MS, () => control.abandon());
    });
    if (claim.cancelRequested) control.stop("cancelled");
    this.#tellMove(running, "claimed", false);
    void this.#run(running);
  }

  async #run(running: Running): Promise<void> {
    let end: AttemptEnd;
    try {
      end = await runAttempt(this.#request(running), this.#services(running), running.control);
    } catch (error) {
      // runAttempt answers for handlers; what escapes it is ours or the disk's.
      end = { kind: "failed", error: toErrorRecord(error), retryable: true };
    }
    this.#wheel.clear(running);
    this.#heartbeat.slots.leave(running.slot);
    this.#busySlots--;
    if (end.kind === "lost") this.#forget(running);
    else this.#record(running, end);
    this.#claimer.look(this.#parts.options.claims);
  }

  #record(running: Running, end: Exclude<AttemptEnd, { kind: "lost" }>): void {
    const { writer, id, artifactRoot, clock } = this.#parts;
    const { claim } = running;
    writer
      .mutate((tx) =>
        endAttempt(tx, {
          claim,
          end,
          worker: id,
          artifactRoot,
          others: this.#running.others(tx, running),
          random: Math.random(),
        }),
      )
      .then(
        (result) => this.#onRecorded(running, end, result),
        (error: unknown) => {
          if (isAppError(error) && error.code === "LEASE_LOST") {
            this.#tellMove(running, "released", true, toErrorRecord(error));
            this.#forget(running);
            return;
          }
          // The disk is full or the file locked: the end is kept in memory, the lease is kept, and it is written later.
          this.#onWriteError(error);
          if (this.#aborting && ++this.#lateWrites > LATE_WRITES_MAX) this.#forget(running);
          else clock.after(WRITE_RETRY_MS, () => this.#record(running, end));
        },
      );
  }

  #onRecorded(running: Running, end: Exclude<AttemptEnd, { kind: "lost" }>, result: AttemptResult): void {
    this.#forget(running);
    if (result.kind === "final") this.#claimer.unwant(running.claim.entry.job);
    const error = "error" in end ? end.error : undefined;
    const kind = end.kind === "left" ? "released" : end.kind;
    this.#tellMove(running, kind, result.kind === "final", error);
    if ("kept" in end && end.kept !== undefined && result.kind === "final")
      void moveKept(this.#parts, running.claim.entry.job).catch((moveError: unknown) =>
        this.#problem(toErrorRecord(moveError)),
      );
  }

  #forget(running: Running): void {
    this.#running.remove(running);
    this.#claimer.cleared(running.claim.entry.job);
    if (this.#running.size === 0) this.#idle?.();
  }

  #request({ claim, served, jobId, traceId }: Running): AttemptRequest {
    const { interned, db } = this.#parts;
    const { env } = claim.job;
    const actor = interned.actor(db, claim.job.actor);
    return {
      jobId,
      type: served.type,
      handlers: served.handlers,
      runNumber: claim.entry.run,
      attempt: claim.entry.attempt,
      traceId,
      actor: formatActor(actor),
      input: readInput(env),
      timeoutMs: claim.rules.timeoutMs,
      ...(env.deadline === undefined ? {} : { deadlineMs: env.deadline }),
      afterCrash: env.after_crash ?? "rerun",
      retryOnExit: env.retry_exit ?? false,
      recover: claim.entry.recover === 1,
      ...(claim.effect === undefined ? {} : { effect: claim.effect }),
    };
  }

  #services({ claim, jobId, traceId }: Running): AttemptServices {
    const { clock, machine, artifactRoot, limits, options, writer, interned, db } = this.#parts;
    const { job, run } = claim.entry;
    return {
      clock,
      machine,
      artifactRoot,
      limits,
      secret: options.secret,
      recordEffect: (_, effect, folder) =>
        writer.mutate((tx) => recordEffect(tx, { epoch: claim.epoch, job, run, folder, effect })),
      progress: (_, progress) =>
        void writer
          .mutate((tx) => recordProgress(tx, claim.epoch, { job, run, progress }), { durable: false })
          .catch(() => undefined),
      enqueue: (_, slot, type, input, childOptions) =>
        options.submitChild(
          { ref: { jobId, runNumber: run, slot }, actor: interned.actor(db, claim.job.actor), traceId },
          type,
          input,
          childOptions,
        ),
    };
  }

  #armTick(): void {
    this.#tickTimer = this.#parts.clock.after(this.#parts.limits.tickMs, () => void this.#tick(), { background: true });
  }

  async #tick(): Promise<void> {
    const { options, limits, db, clock, retain } = this.#parts;
    this.#heartbeat.slots.beat();
    try {
      this.#lookForLostLeases();
      await this.#onDue();
      this.wake();
      if (options.claims && this.#stopping === undefined) {
        await this.#watchdog.look(limits.tickMs);
        this.#drainIfOlder();
        if (db.get("SELECT 1 FROM schedule WHERE paused = 0 AND next <= ? LIMIT 1", clock.now()) !== undefined)
          await options.fireSchedules();
        if (clock.monotonic() - this.#retainedAtMono > HOUR_MS) {
          this.#retainedAtMono = clock.monotonic();
          await retain();
        }
      }
    } catch (error) {
      this.#onWriteError(error);
    }
    this.#heartbeat.slots.beat();
    if (this.#stopping === undefined || this.#running.size > 0) this.#armTick();
  }

  async #onDue(): Promise<void> {
    this.#dueTimer?.timer.cancel();
    this.#dueTimer = undefined;
    const { db, clock, writer, options } = this.#parts;
    if (this.#stopping !== undefined) return;
    const next = db.get<{ at: number | null }>(
      "SELECT min(at) AS at FROM (SELECT min(due) AS at FROM delayed UNION ALL SELECT min(at) FROM expiry UNION ALL SELECT min(next) FROM schedule WHERE paused = 0)",
    )?.at;
    if (next == null) return;
    if (next > clock.now()) return this.dueAt(next);
    try {
      const due = await writer.mutate((tx) => promoteDue(tx));
      for (const job of due.overdue) this.#running.get(job)?.control.stop("timeout", { byDeadline: true });
      if (
        options.claims &&
        db.get("SELECT 1 FROM schedule WHERE paused = 0 AND next <= ? LIMIT 1", clock.now()) !== undefined
      )
        await options.fireSchedules();
      if (due.more) this.dueAt(clock.now());
      else if (due.nextMs !== undefined) this.dueAt(Math.max(due.nextMs, clock.now() + 1));
    } catch (error) {
      this.#onWriteError(error);
    }
  }

  /** A newer version changed the schema in a way that this one must not write to: it finishes what it has and stops. */
  #drainIfOlder(): void {
    const { db, schema, limits } = this.#parts;
    const writerMin = db.get<{ value: number }>("SELECT value FROM setting WHERE name = 'writer_min'")?.value ?? 0;
    if (writerMin <= schema) return;
    this.#problem({
      code: "DATABASE_NEWER",
      message: `the database was migrated and wants workers of schema ${writerMin} or newer; this one (schema ${schema}) finishes its jobs and stops`,
    });
    void this.stop({ graceMs: limits.drainMs });
  }

  #lookForCancels(): void {
    for (const { job, run } of this.#parts.db.all<{ job: JobNumber; run: number }>(
      "SELECT job, run FROM cancel_request",
    )) {
      const running = this.#running.get(job);
      if (running?.claim.entry.run === run) running.control.stop("cancelled");
    }
  }

  #lookForLostLeases(): void {
    if (this.#running.size === 0) return;
    const held = new Set(
      this.#parts.db
        .all<{ epoch: number }>("SELECT epoch FROM lease WHERE worker = ?", this.#parts.id)
        .map(({ epoch }) => epoch),
    );
    for (const epoch of [...this.#running.epochs()]) {
      if (!held.has(epoch)) for (const { control } of this.#running.ofEpoch(epoch)) control.stop("lease_lost");
    }
  }

  #onWriteError(error: unknown): void {
    this.#problem(toErrorRecord(error));
  }

  #problem(error: ErrorRecord): void {
    this.#tell({ kind: "problem", error });
  }

  #tellMove(
    { claim, served, jobId, traceId, startedMono }: Running,
    kind: Extract<WorkerEvent, { final: boolean }>["kind"],
    final: boolean,
    error?: ErrorRecord,
  ): void {
    if (this.#parts.options.onEvent === undefined) return;
    this.#tell({
      kind,
      jobId,
      type: served.type.name,
      traceId,
      attempt: claim.entry.attempt,
      retriesLeft: Math.max(0, claim.rules.retries - claim.entry.failures - (kind === "failed" ? 1 : 0)),
      final,
      ...(kind === "claimed" ? {} : { durationMs: Math.round(this.#parts.clock.monotonic() - startedMono) }),
      ...(error === undefined ? {} : { error }),
    });
  }

  #tell(event: WorkerEvent): void {
    this.#parts.options.onEvent?.(event);
  }
}
