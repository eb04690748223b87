import type { JobContext } from "../job/context.ts";

/**
 * Which machine an effect was started on. Two workers are on the same machine, and may look after each other's programs,
 * when all three are equal; the same host with another boot id has restarted, so nothing that it ran is alive.
 */
export interface MachineIdentity {
  /** `/etc/machine-id`, or the host name where there is none. */
  readonly host: string;
  /** `/proc/sys/kernel/random/boot_id`. */
  readonly boot: string;
  /** The pid namespace, as `readlink /proc/self/ns/pid` prints it. */
  readonly pidNamespace: string;
}

/** An outside effect as it is recorded, durably, before it starts. */
export interface Effect {
  readonly machine: MachineIdentity;
  /** What the job type needs to find its effect again: process id, start time, nonce. JSON-safe, never a secret. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What the handlers of types that act on a machine receive. */
export interface EffectContext extends JobContext {
  /**
   * Absolute path of the attempt's folder (mode 0700), whose files become the job's artifacts when the attempt ends. An
   * attempt that adopts gets the folder of the attempt that started the effect.
   */
  readonly folder: string;
  /** The attempt's running time; its signal fires when that is over. */
  readonly timeoutMs: number;
  /** The strictest actor of the job, as `kind:name`, for programs that may call Windlass themselves. */
  readonly actor?: string;
  /**
   * Masks the secrets that the job resolved in a file of the folder that is complete, so that what is said of it (its
   * hash, its length) is true of the kept file. Does nothing for a job without secrets.
   */
  maskFile(path: string): Promise<void>;
  /**
   * Runs what the attempt waits for and what is not its own work, such as the start of a runner on another machine: up to
   * `maxMs` of it is not counted against the timeout. The job's deadline counts on.
   */
  outsideTimeout<T>(maxMs: number, work: () => Promise<T>): Promise<T>;
  /**
   * Stores the effect durably. Call it before the effect starts and again when more is known of it (such as the process
   * id); the last one counts.
   *
   * @throws AppError `LEASE_LOST` when another worker has the job: the effect must not start.
   */
  recordEffect(effect: Effect): Promise<void>;
}

/** What `run` returns when its work turned out to be done already: the job completes with the outcome `skipped`. */
export class AlreadyDone {
  readonly result: unknown;

  constructor(result: unknown) {
    this.result = result;
  }
}

/** What an adoption found: the result, that the effect never began, or that nothing can be known. */
export type Adoption =
  | { readonly kind: "result"; readonly result: unknown }
  /** It begins now, by `run`, when it may: only what has begun goes on without being asked about again. */
  | { readonly kind: "not-begun" }
  | { readonly kind: "unknown"; readonly reason: string };

/** The code of a job type as the attempt runs it. */
export interface Handlers {
  run(input: never, ctx: EffectContext): unknown;
  /** For the crash rule `check`: the result when the work is done already, else `undefined`. */
  check?(input: never, ctx: EffectContext): Promise<unknown>;
  /**
   * Takes over the effect of an attempt whose worker died, and stays with it to its end, with timeout and cancel.
   * Throws as `run` does when the effect turns out to have failed.
   */
  adopt?(input: never, effect: Effect, ctx: EffectContext): Promise<Adoption>;
  /**
   * The files that a job of this input keeps when it completes; one that is missing makes it `failed` with the outcome
   * `partial`.
   */
  readonly keeps?: (input: never) => readonly string[];
  /** Files in the attempt's folder that hold the job's own output and may be followed while it runs. */
  readonly streams?: { readonly stdout: string; readonly stderr: string };
}
