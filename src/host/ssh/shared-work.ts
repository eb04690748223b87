import { unlessAborted } from "../../clock.ts";

/** Work that several callers wait for at once. It is given up when the last of them has lost interest. */
export class SharedWork<T> {
  readonly #begin: (signal: AbortSignal) => Promise<T>;
  #current: { readonly work: Promise<T>; readonly stop: AbortController; waiting: number } | undefined;

  constructor(begin: (signal: AbortSignal) => Promise<T>) {
    this.#begin = begin;
  }

  /**
   * Joins the work under way, or begins it.
   *
   * @throws the signal's reason as soon as it is aborted; what the work throws.
   */
  async join(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const current = this.#current ?? this.#start();
    current.waiting++;
    try {
      return await unlessAborted(current.work, signal);
    } finally {
      if (--current.waiting === 0 && this.#current === current) this.#abandon(signal.reason);
    }
  }

  /** Ends the work under way; who waits for it gets the reason. */
  stop(reason: Error): void {
    this.#abandon(reason);
  }

  #start() {
    const stop = new AbortController();
    const current = { stop, waiting: 0, work: this.#begin(stop.signal) };
    const settled = (): void => {
      if (this.#current === current) this.#current = undefined;
    };
    current.work.then(settled, settled);
    this.#current = current;
    return current;
  }

  #abandon(reason: unknown): void {
    const current = this.#current;
    this.#current = undefined;
    current?.stop.abort(reason);
  }
}
