import type { Clock } from "../../../clock.ts";
import type { ErrorRecord } from "../../../error.ts";
import type { WorkerEvent } from "../../serving.ts";
import type { Running } from "./running.ts";

/** The moves of a job that a worker tells. */
type Move = Extract<WorkerEvent, { readonly final: boolean }>["kind"];

/** Tells whoever started a worker what happens in it; a listener that throws harms nobody. */
export class Teller {
  readonly #listener: ((event: WorkerEvent) => void) | undefined;
  readonly #clock: Clock;

  constructor(listener: ((event: WorkerEvent) => void) | undefined, clock: Clock) {
    this.#listener = listener;
    this.#clock = clock;
  }

  problem(error: ErrorRecord): void {
    this.event({ kind: "problem", error });
  }

  move({ claim, served, jobId, traceId, startedMono }: Running, kind: Move, final: boolean, error?: ErrorRecord): void {
    if (this.#listener === undefined) return;
    const { rules, entry } = claim;
    this.event({
      kind,
      jobId,
      type: served.type.name,
      traceId,
      attempt: entry.attempt,
      retriesLeft: Math.max(0, rules.retries - entry.failures - (kind === "failed" ? 1 : 0)),
      final,
      ...(kind === "claimed" ? {} : { durationMs: Math.round(this.#clock.monotonic() - startedMono) }),
      ...(error === undefined ? {} : { error }),
    });
  }

  event(event: WorkerEvent): void {
    try {
      this.#listener?.(event);
    } catch (error) {
      process.emitWarning(
        `a listener of worker events threw: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
