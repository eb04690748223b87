import type { ManifestFile } from "../artifact/manifest.ts";
import type { Clock } from "../clock.ts";
import type { ErrorRecord } from "../error.ts";
import type { ChildOptions, Progress } from "../job/context.ts";
import type { JobType } from "../job/definition.ts";
import type { AfterCrash } from "../job/rules.ts";
import type { Outcome } from "../job/state.ts";
import type { PlacedCall } from "./durable/services.ts";
import type { Effect, EffectContext, Handlers, MachineIdentity } from "./handlers.ts";

/** One attempt to make: everything that its worker claimed. */
export interface AttemptRequest {
  readonly jobId: string;
  readonly type: JobType;
  readonly handlers: Handlers;
  readonly runNumber: number;
  readonly attempt: number;
  readonly traceId: string;
  /** The strictest actor of the job, as `kind:name`. */
  readonly actor: string;
  /** As it was given; its schema has not read it yet. */
  readonly input: unknown;
  readonly timeoutMs: number;
  /** The job's deadline in Unix milliseconds. */
  readonly deadlineMs?: number;
  readonly afterCrash: AfterCrash;
  readonly retryOnExit: boolean;
  /** The attempt before ended with its worker, not by itself. */
  readonly recover: boolean;
  /** How often its worker died in this run, and how often it may. */
  readonly crashes: number;
  readonly crashesMax: number;
  /** What that attempt had started. */
  readonly effect?: { readonly effect: Effect; readonly folder: string; readonly atMs: number };
}

/** This machine cannot verify what people signed; another one may, or this one later. Nothing failed. */
export interface PutOff {
  readonly kind: "put-off";
  readonly error: ErrorRecord;
}

/** `waits`: the job left its lease, and that is recorded. */
export type LeaveEnd = "granted" | "waits" | PutOff;

/** What an attempt needs of its worker and backend. Facts are stored under the attempt's lease. */
export interface AttemptServices {
  readonly clock: Clock;
  readonly machine: MachineIdentity;
  /** Absolute path below which attempts write. */
  readonly artifactRoot: string;
  readonly limits: {
    readonly killGraceMs: number;
    readonly keptBytes: number;
    readonly inlineBytes: number;
    readonly valueBytes: number;
    readonly adoptWaitMs: number;
  };
  /** A secret of the worker's environment; `undefined` when it is not set. */
  readonly secret: (name: string) => string | undefined;
  /**
   * Asks whether the job may run before anything of it does: the policy, and people where it wants their leave.
   *
   * @returns `undefined` where nobody need be asked.
   * @throws AppError `POLICY_DENIED`, `APPROVAL_*`, `LEASE_LOST`.
   */
  readonly obtainLeave: (request: AttemptRequest, input: unknown) => Promise<LeaveEnd> | undefined;
  readonly outsideTimeout: EffectContext["outsideTimeout"];
  /** @throws AppError `LEASE_LOST`. */
  readonly recordEffect: (request: AttemptRequest, effect: Effect, folder: string) => Promise<void>;
  /** Says in the history that this attempt takes over what an earlier one started. @throws AppError `LEASE_LOST`. */
  readonly recordAdoption: (request: AttemptRequest) => Promise<void>;
  readonly progress: (request: AttemptRequest, progress: Progress) => void;
  readonly enqueue: (
    request: AttemptRequest,
    slot: string,
    type: string,
    input: unknown,
    options: ChildOptions,
  ) => Promise<{ readonly jobId: string }>;
}

/** Files that an attempt kept, hashed; the backend records them with the attempt's end. */
export interface KeptFiles {
  /** Relative to the artifact root. */
  readonly folder: string;
  readonly files: readonly ManifestFile[];
}

/** How an attempt ended. */
export type AttemptEnd =
  | { readonly kind: "completed"; readonly resultJson: string; readonly outcome?: Outcome; readonly kept?: KeptFiles }
  | {
      readonly kind: "failed";
      readonly error: ErrorRecord;
      readonly retryable: boolean;
      /** What an earlier attempt left is still to be looked for: the next one must not run blindly. */
      readonly recover?: true;
      readonly outcome?: Outcome;
      readonly kept?: KeptFiles;
    }
  /** With an outcome where not a cancel of the job ended it but somebody at its machine. */
  | {
      readonly kind: "cancelled";
      readonly error: ErrorRecord;
      readonly outcome?: Outcome;
      readonly kept?: KeptFiles;
    }
  /** It stopped because its worker does; what it had started may go on. */
  | { readonly kind: "released" }
  /** Another machine may still look after it. */
  | { readonly kind: "left"; readonly delayMs: number }
  | PutOff
  /** The job waits; that is recorded already. */
  | { readonly kind: "suspended" }
  /** A durable job ended its log and goes on as its next run. */
  | {
      readonly kind: "continued";
      readonly call: PlacedCall;
      readonly inputJson: string;
      readonly kept?: KeptFiles;
    }
  /** Another worker has the job: nothing may be recorded. */
  | { readonly kind: "lost" };
