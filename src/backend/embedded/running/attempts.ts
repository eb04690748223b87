import { AttemptControl } from "../../../attempt/control.ts";
import { DeadlineWheel } from "../../../attempt/deadline-wheel.ts";
import { runAttempt } from "../../../attempt/run-attempt.ts";
import type { AttemptEnd } from "../../../attempt/services.ts";
import { toErrorRecord } from "../../../error.ts";
import type { ServedType } from "../../serving.ts";
import { reclaim } from "../attempts/reclaim.ts";
import type { Claim } from "../lease/claim.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { traceOf } from "../rows/trace-of.ts";
import { attemptRequest, attemptServices } from "./attempt-services.ts";
import { DurableRuns } from "./durable-runs.ts";
import { EndRecorder } from "./end-recorder.ts";
import { type Running, RunningSet } from "./running.ts";
import type { Slots } from "./slots.ts";
import type { Teller } from "./teller.ts";
import { TimeLimit } from "./time-limit.ts";
import type { WorkerParts } from "./worker-parts.ts";

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

/** Runs what a worker claimed. */
export class Attempts {
  readonly #parts: AttemptsParts;
  readonly #served: ReadonlyMap<string, ServedType>;
  readonly #running = new RunningSet();
  readonly #wheel: DeadlineWheel;
  readonly #durable: DurableRuns;
  readonly #ends: EndRecorder;
  #busy = 0;

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
    this.#served = new Map(parts.options.types.map((served) => [served.type.name, served]));
    this.#wheel = new DeadlineWheel(parts.clock);
    this.#durable = new DurableRuns(parts, this.#running);
    this.#ends = new EndRecorder(parts, this.#running, (running, final) => this.#forget(running, final));
  }

  /** True when code that waits is kept here: runs that go on are looked for. */
  get hasParked(): boolean {
    return this.#durable.hasParked;
  }

  /** The worker stops: code that waits here goes on elsewhere. */
  evictParked(): void {
    this.#durable.stop();
  }

  /** Forgets code whose job no longer waits, and tidies the records. */
  async sweepDurable(): Promise<void> {
    await this.#durable.sweep();
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
    const control = new AttemptControl();
    const startedMono = clock.monotonic();
    const timeLimit = new TimeLimit(
      { clock, slots, wheel: this.#wheel },
      {
        epoch,
        job: entry.job,
        run: entry.run,
        attempt: entry.attempt,
        startedMono,
        timeoutMs: rules.timeoutMs,
        deadlineLeftMs: job.env.deadline === undefined ? Number.POSITIVE_INFINITY : job.env.deadline - clock.now(),
        onOver: (byDeadline) => this.#timeOut(running, byDeadline),
      },
    );
    const jobId = numbers.idOf(entry.job);
    const traceId = job.env.trace ?? traceOf(jobId);
    const lease = this.#running.leaseOf(epoch);
    const running: Running = {
      claim,
      lease,
      served,
      control,
      jobId,
      traceId,
      startedMono,
      timeLimit,
    };
    this.#running.add(running);
    if (claim.cancelRequested) control.stop("cancelled");
    tell.move(running, "claimed", false);
    void this.#run(running);
  }

  /** Somebody asked to cancel these. */
  cancelRequested(): void {
    if (this.#running.size === 0) return;
    const asked = this.#parts.db.all<{ job: JobNumber; run: number }>("SELECT job, run FROM cancel_request");
    if (asked.length === 0) return;
    const runs = new Map(asked.map(({ job, run }) => [job, run]));
    for (const { claim, control } of this.#running.all())
      if (runs.get(claim.entry.job) === claim.entry.run) control.stop("cancelled");
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
    for (const { epoch, running } of [...this.#running.leases]) {
      if (!held.delete(epoch)) for (const { control } of [...running]) control.stop("lease_lost");
    }
    for (const epoch of held) await writer.mutate((tx) => reclaim(tx, interned, id, "unknown", epoch));
  }

  /** The job's deadline has passed. */
  overdue(job: JobNumber): void {
    this.#running.get(job)?.control.stop("timeout", { byDeadline: true });
  }

  /** The worker's grace is over: what is left is given back. */
  stopAll(): void {
    this.#ends.stop();
    for (const { control } of this.#running.all()) control.stop("stopping");
    const { clock, limits } = this.#parts;
    const abandon = (): void => {
      for (const { control } of this.#running.all()) control.abandon();
    };
    clock.after(limits.killGraceMs + ABANDON_AFTER_MS, abandon, { background: true });
  }

  #timeOut({ control, timeLimit }: Running, byDeadline: boolean): void {
    control.stop("timeout", { byDeadline });
    timeLimit.abandonAfter(this.#parts.limits.killGraceMs + ABANDON_AFTER_MS, () => control.abandon());
  }

  async #run(running: Running): Promise<void> {
    let end: AttemptEnd;
    try {
      end = await this.#perform(running);
    } catch (error) {
      // runAttempt answers for handlers; what escapes it is ours or the disk's, and the work may have been done.
      end = { kind: "failed", error: toErrorRecord(error), retryable: running.claim.job.env.after_crash === undefined };
    }
    running.control.end();
    running.timeLimit.close();
    this.#busy--;
    if (end.kind === "lost") this.#forget(running, false);
    else if (end.kind === "suspended") this.#suspended(running);
    else this.#ends.record(running, end);
    this.#parts.onFree();
  }

  #perform(running: Running): Promise<AttemptEnd> {
    const { served, control } = running;
    const request = attemptRequest(this.#parts, running);
    const services = attemptServices(this.#parts, running, this.#running.sharedLease(running));
    if (served.type.kind === "plain") return runAttempt(request, services, control);
    return this.#durable.run(running, request, services);
  }

  /** Its suspension is recorded, and its lease no longer covers it. */
  #suspended(running: Running): void {
    this.#parts.tell.move(running, "suspended", false);
    this.#forget(running, false);
  }

  #forget(running: Running, final: boolean): void {
    this.#running.remove(running);
    this.#parts.onEnded(running.claim.entry.job, final);
  }
}
