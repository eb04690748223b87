import { AttemptControl } from "../../../attempt/control.ts";
import { DeadlineWheel } from "../../../attempt/deadline-wheel.ts";
import { runAttempt } from "../../../attempt/run-attempt.ts";
import type { AttemptEnd, AttemptRequest, AttemptServices } from "../../../attempt/services.ts";
import { AppError, isAppError, toErrorRecord } from "../../../error.ts";
import { formatActor } from "../../../policy/actor.ts";
import type { ServedType } from "../../backend.ts";
import { traceOf } from "../accept.ts";
import type { Claim } from "../claim.ts";
import { type AttemptResult, endAttempt } from "../end-attempt.ts";
import type { JobNumber } from "../job-number.ts";
import { moveKept } from "../move-kept.ts";
import { readInput } from "../reading/status.ts";
import { reclaim } from "../reclaim.ts";
import { recordAdoption } from "../record-adoption.ts";
import { recordEffect } from "../record-effect.ts";
import { recordProgress } from "../record-progress.ts";
import type { WorkerParts } from "./parts.ts";
import { type Running, RunningSet } from "./running.ts";
import type { Slots } from "./slots.ts";
import type { Teller } from "./teller.ts";

/** A write that the disk refused is tried again this often; the lease is kept meanwhile. */
const WRITE_RETRY_MS = 1_000;
/** A worker that stops gives up writing after this many tries; its leases stay for whoever comes next. */
const LATE_WRITES_MAX = 5;
/** How much longer than the kill grace a handler that does not listen is waited for. */
const ABANDON_AFTER_MS = 1_000;

/** What running attempts needs beside the worker's parts. */
export interface AttemptsParts extends WorkerParts {
  readonly slots: Slots;
  readonly tell: Teller;
  /** A slot is free again. */
  readonly onFree: () => void;
  /** The end of an attempt is recorded, or not ours to record. */
  readonly onEnded: (job: JobNumber, final: boolean) => void;
}

/** Runs what a worker claimed, and records how it ended. */
export class Attempts {
  readonly #parts: AttemptsParts;
  readonly #served: ReadonlyMap<string, ServedType>;
  readonly #running = new RunningSet();
  readonly #wheel: DeadlineWheel;
  #busy = 0;
  #stopping = false;
  #lateWrites = 0;

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
    this.#served = new Map(parts.options.types.map((served) => [served.type.name, served]));
    this.#wheel = new DeadlineWheel(parts.clock);
  }

  /** Attempts whose end is not recorded yet. */
  get size(): number {
    return this.#running.size;
  }

  /** Handlers that run now; one that has ended leaves its slot before its end is on the disk. */
  get busy(): number {
    return this.#busy;
  }

  serves(type: string): boolean {
    return this.#served.has(type);
  }

  begin(claim: Claim): void {
    const { numbers, interned, db, clock, slots, tell } = this.#parts;
    const served = this.#served.get(interned.queue(db, claim.job.queue).type);
    if (served === undefined) return;
    this.#busy++;
    const { epoch, entry, rules, job } = claim;
    const leftMs = job.env.deadline === undefined ? Number.POSITIVE_INFINITY : job.env.deadline - clock.now();
    const byDeadline = leftMs < rules.timeoutMs;
    const limitMs = Math.max(0, Math.min(leftMs, rules.timeoutMs));
    const startedMono = clock.monotonic();
    const slot = slots.enter({
      deadlineMono: startedMono + limitMs,
      epoch,
      job: entry.job,
      run: entry.run,
      attempt: entry.attempt,
      byDeadline,
    });
    const jobId = numbers.idOf(entry.job);
    const control = new AttemptControl();
    const running: Running = {
      claim,
      served,
      control,
      jobId,
      traceId: job.env.trace ?? traceOf(jobId),
      startedMono,
      slot,
    };
    this.#running.add(running);
    this.#wheel.set(running, limitMs, () => this.#timeOut(running, byDeadline));
    if (claim.cancelRequested) control.stop("cancelled");
    tell.move(running, "claimed", false);
    void this.#run(running);
  }

  /** Somebody asked to cancel these. */
  cancelRequested(): void {
    if (this.#running.size === 0) return;
    for (const { job, run } of this.#parts.db.all<{ job: JobNumber; run: number }>(
      "SELECT job, run FROM cancel_request",
    )) {
      const running = this.#running.get(job);
      if (running?.claim.entry.run === run) running.control.stop("cancelled");
    }
  }

  /**
   * Stops the attempts whose leases were taken away, and gives back what a claim took whose commit was not known to be on
   * the disk: nobody else would, because this worker lives.
   */
  async checkLeases(): Promise<void> {
    const { db, id, writer, interned } = this.#parts;
    const held = new Set(
      db.all<{ epoch: number }>("SELECT epoch FROM lease WHERE worker = ?", id).map(({ epoch }) => epoch),
    );
    for (const epoch of [...this.#running.epochs()]) {
      if (!held.delete(epoch)) for (const { control } of this.#running.ofEpoch(epoch)) control.stop("lease_lost");
    }
    for (const epoch of held) await writer.mutate((tx) => reclaim(tx, interned, id, "unknown", epoch));
  }

  /** The job's deadline has passed. */
  overdue(job: JobNumber): void {
    this.#running.get(job)?.control.stop("timeout", { byDeadline: true });
  }

  /** The worker's grace is over: what is left is given back. */
  stopAll(): void {
    this.#stopping = true;
    for (const { control } of this.#running.all()) control.stop("stopping");
    const { clock, limits } = this.#parts;
    const abandon = (): void => {
      for (const { control } of this.#running.all()) control.abandon();
    };
    clock.after(limits.killGraceMs + ABANDON_AFTER_MS, abandon, { background: true });
  }

  #timeOut(running: Running, byDeadline: boolean): void {
    running.control.stop("timeout", { byDeadline });
    this.#wheel.set(running, this.#parts.limits.killGraceMs + ABANDON_AFTER_MS, () => running.control.abandon());
  }

  async #run(running: Running): Promise<void> {
    let end: AttemptEnd;
    try {
      end = await runAttempt(this.#request(running), this.#services(running), running.control);
    } catch (error) {
      // runAttempt answers for handlers; what escapes it is ours or the disk's, and the work may have been done.
      end = { kind: "failed", error: toErrorRecord(error), retryable: running.claim.job.env.after_crash === undefined };
    }
    running.control.end();
    this.#wheel.clear(running);
    this.#parts.slots.leave(running.slot);
    this.#busy--;
    if (end.kind === "lost") this.#forget(running, false);
    else this.#record(running, end);
    this.#parts.onFree();
  }

  #record(running: Running, end: Exclude<AttemptEnd, { kind: "lost" }>, again = false): void {
    const { writer, id, artifactRoot } = this.#parts;
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
          again,
        }),
      )
      .then(
        (result) => this.#onRecorded(running, end, result),
        (error: unknown) => this.#onRefused(running, end, error),
      );
  }

  #onRecorded(running: Running, end: Exclude<AttemptEnd, { kind: "lost" }>, result: AttemptResult): void {
    const final = result.kind === "final";
    const { tell } = this.#parts;
    tell.move(running, end.kind === "left" ? "released" : end.kind, final, "error" in end ? end.error : undefined);
    if (final && "kept" in end && end.kept !== undefined) {
      moveKept(this.#parts, running.claim.entry.job).catch((error: unknown) => tell.problem(toErrorRecord(error)));
    }
    this.#forget(running, final);
  }

  #onRefused(running: Running, end: Exclude<AttemptEnd, { kind: "lost" }>, error: unknown): void {
    const { tell, clock } = this.#parts;
    if (isAppError(error) && error.code === "LEASE_LOST") {
      tell.move(running, "released", true, toErrorRecord(error));
      this.#forget(running, false);
      return;
    }
    // The disk is full or the file locked: the end is kept in memory, the lease is kept, and it is written later.
    tell.problem(toErrorRecord(error));
    if (this.#stopping && ++this.#lateWrites > LATE_WRITES_MAX) this.#forget(running, false);
    else clock.after(WRITE_RETRY_MS, () => this.#record(running, end, true));
  }

  #forget(running: Running, final: boolean): void {
    this.#running.remove(running);
    this.#parts.onEnded(running.claim.entry.job, final);
  }

  #request({ claim, served, jobId, traceId }: Running): AttemptRequest {
    const { interned, db } = this.#parts;
    const { env } = claim.job;
    return {
      jobId,
      type: served.type,
      handlers: served.handlers,
      runNumber: claim.entry.run,
      attempt: claim.entry.attempt,
      traceId,
      actor: formatActor(interned.actor(db, claim.job.actor)),
      input: readInput(env),
      timeoutMs: claim.rules.timeoutMs,
      ...(env.deadline === undefined ? {} : { deadlineMs: env.deadline }),
      afterCrash: env.after_crash ?? "rerun",
      retryOnExit: env.retry_exit ?? false,
      recover: claim.entry.recover === 1,
      crashes: claim.entry.crashes,
      crashesMax: claim.rules.crashesMax,
      ...(claim.effect === undefined ? {} : { effect: claim.effect }),
    };
  }

  #services({ claim, jobId, traceId, control }: Running): AttemptServices {
    const { id, clock, machine, artifactRoot, limits, options, writer, interned, db } = this.#parts;
    const { job, run } = claim.entry;
    return {
      clock,
      machine,
      artifactRoot,
      limits,
      secret: options.secret,
      // What was asked for before the end is written before it: mutations keep their order.
      recordAdoption: () => writer.mutate((tx) => recordAdoption(tx, claim, id)),
      recordEffect: async (_, effect, folder) => {
        checkNotEnded(control);
        await writer.mutate((tx) => recordEffect(tx, { epoch: claim.epoch, job, run, folder, effect }));
      },
      progress: (_, progress) => {
        if (control.ended) return;
        writer
          .mutate((tx) => recordProgress(tx, claim.epoch, { job, run, progress }), { durable: false })
          .catch(() => undefined);
      },
      enqueue: async (_, slot, type, input, childOptions) => {
        checkNotEnded(control);
        const parent = { ref: { jobId, runNumber: run, slot }, actor: interned.actor(db, claim.job.actor), traceId };
        return options.submitChild(parent, type, input, childOptions);
      },
    };
  }
}

/** The lease may go on for the other jobs of its batch when a handler outlives its attempt. */
function checkNotEnded({ ended }: AttemptControl): void {
  if (ended) throw new AppError("LEASE_LOST", "this attempt has ended; what its handler does late counts for nothing");
}
