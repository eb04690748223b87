/**
 * What a backend can do and how fast it notices. Code and tests branch on these, never on a backend's name. Asking for a
 * missing one is `UNSUPPORTED` when it is opened, submitted or when the worker starts, never in the middle of a run.
 */
export interface Capabilities {
  /** Timers and delays below a second. */
  readonly subSecond: boolean;
  /** `enqueueWith`: the user's rows and the enqueue commit together. */
  readonly transaction: boolean;
  /** Events with the same key arrive in order. */
  readonly eventOrder: boolean;
  /** Waiting outweighs priority after a while. */
  readonly ageing: boolean;
  /** Durable calls that one run may make. */
  readonly positionsMax: number;
  /** From the death of a worker to the next attempt of its jobs, in milliseconds, beside the lease for one that only stalls. */
  readonly crashNoticedMs: number;
  /** From enqueue to the start of the handler on an idle worker. */
  readonly startMs: number;
  /** From a cancel to the handler's signal. */
  readonly cancelNoticedMs: number;
  /** How often a watcher must ask; 0: it is told. */
  readonly watchMs: number;
}
