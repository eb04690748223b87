import type { AppError } from "../error.ts";
import type { Denial } from "../policy/in-force.ts";

/** A change that a limited rule allows. */
export interface LimitedUse {
  readonly rule: string;
  /** As `kind:name`. */
  readonly actor: string;
  readonly perHour: number;
  /** The refusal when the limit was used up by then. */
  refuse(used: number): AppError;
}

/** A refusal that was recorded. */
export interface RecordedDenial extends Denial {
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** Which refusals are asked for. */
export interface DenialFilter {
  /** How many at most. */
  readonly limit: number;
  /** Only those at or after this time, Unix milliseconds. */
  readonly sinceMs?: number;
}

/** What the policy has to remember beyond one process: who was refused, and how often a limited rule was used. */
export interface PolicyLog {
  recordDenial(denial: Denial): Promise<void>;
  /** What was refused, newest first, as far as it is kept. */
  denials(filter: DenialFilter): Promise<readonly RecordedDenial[]>;
  /**
   * Counts a use, unless so many were counted in the hour before. Where a job is stored, `Backend.accept` does it in the
   * commit of the job instead.
   *
   * @throws AppError what {@link LimitedUse.refuse} makes.
   */
  takeUse(use: LimitedUse): Promise<void>;
  /** How often an actor (as `kind:name`) used each limited rule in the hour before, by the rule's name. */
  usedBy(actor: string): Promise<Readonly<Record<string, number>>>;
}
