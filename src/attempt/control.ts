import type { StopReason } from "../job/context.ts";

/**
 * Stops one attempt: fires its signal with the reason, and after a grace gives up waiting for a handler that does not
 * listen. The first reason stands, but a lost lease outweighs all.
 */
export class AttemptControl {
  readonly #controller = new AbortController();
  #reason: StopReason | undefined;
  #byDeadline = false;
  #abandoned = false;
  #ended = false;
  #onAbandon: (() => void) | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** True when the timeout was the job's deadline, which ends the job and not just the attempt. */
  get byDeadline(): boolean {
    return this.#byDeadline;
  }

  /** True once the attempt's end is decided: what its handler still says counts for nothing, though the lease may go on for others. */
  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
  }

  stop(reason: StopReason, options: { readonly byDeadline?: boolean } = {}): void {
    if (this.#reason === undefined || reason === "lease_lost") this.#reason = reason;
    this.#byDeadline ||= options.byDeadline ?? false;
    if (!this.#controller.signal.aborted) this.#controller.abort(reason);
  }

  /** The attempt's end is decided without its handler, whose later result counts for nothing. */
  abandon(): void {
    this.#abandoned = true;
    this.#onAbandon?.();
  }

  /** Settles as the work does, or is rejected as soon as the attempt is abandoned. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#onAbandon = () => reject(this.#reason);
      if (this.#abandoned) this.#onAbandon();
      work.then(resolve, reject);
    });
  }
}
