import { Parking } from "../../../attempt/durable/parking.ts";
import { type ParkedRun, runDurableAttempt } from "../../../attempt/durable/run-durable-attempt.ts";
import type { AttemptEnd, AttemptRequest, AttemptServices } from "../../../attempt/services.ts";
import { POSITIONS_MAX } from "../durable/positions.ts";
import { foldTail, hasTail, TAIL_FROM } from "../durable/record-tail.ts";
import { durableServices } from "./durable-services.ts";
import type { Running, RunningSet } from "./running.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** The attempts of durable jobs that a worker makes, and the code of those that wait. */
export class DurableRuns {
  readonly #parts: WorkerParts;
  readonly #running: RunningSet;
  readonly #parking: Parking;
  #parkedEver = false;

  constructor(parts: WorkerParts, running: RunningSet) {
    this.#parts = parts;
    this.#running = running;
    this.#parking = new Parking(parts.clock);
  }

  /** Code that was evicted is looked for too: its job need not wait until any worker may have it. */
  get hasParked(): boolean {
    return this.#parkedEver;
  }

  run(running: Running, request: AttemptRequest, services: AttemptServices): Promise<AttemptEnd> {
    const { claim, control, jobId, traceId } = running;
    const { job, run, attempt } = claim.entry;
    let code: ParkedRun | undefined;
    const park = (): (() => void) => {
      if (code === undefined) return () => undefined;
      const parked = code;
      this.#parkedEver = true;
      this.#parking.park(job, { run, attempt, code: parked });
      return () => this.#parking.unpark(job, parked);
    };
    const durable = durableServices(this.#parts, {
      claim,
      control,
      jobId,
      traceId,
      positionsMax: POSITIONS_MAX,
      lease: this.#running.sharedLease(running),
      crowded: () => this.#running.size >= TAIL_FROM,
      park,
    });
    return runDurableAttempt(request, services, control, {
      durable,
      parked: this.#parking.take(job, run, attempt),
      onRun: (begun) => {
        code = begun;
      },
    });
  }

  /**
   * Forgets code whose job was cancelled, went on elsewhere, or has waited long; moves records that no further ones came
   * after to their place.
   */
  async sweep(): Promise<void> {
    const { db, writer } = this.#parts;
    this.#parking.sweep((job, run) => db.get("SELECT 1 FROM done WHERE job = ? AND run = ?", job, run) !== undefined);
    if (hasTail(db)) await writer.mutate(foldTail, { durable: false });
  }

  stop(): void {
    this.#parking.clear();
  }
}
