import type { SubmitOptions } from "../job/options.ts";
import type { Actor } from "../policy/actor.ts";
import type { CatchUp, Overlap } from "../schedule/decide-slots.ts";

/** A schedule as it is asked for. */
export interface ScheduleSpec {
  /** 1 to 128 characters of `A-Z a-z 0-9 . _ : -`; unique. */
  readonly name: string;
  /** Five fields. */
  readonly cron: string;
  /** An IANA name. */
  readonly timeZone: string;
  readonly type: string;
  /** The input of each job, JSON. */
  readonly input: unknown;
  readonly options: Pick<
    SubmitOptions,
    "priority" | "timeout" | "deadline" | "retries" | "expiresIn" | "metadata" | "requires"
  >;
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
}

/** A schedule as it is kept. Times in Unix milliseconds. */
export interface ScheduleState extends ScheduleSpec {
  readonly actor: Actor;
  readonly createdAtMs: number;
  readonly paused: boolean;
  /** `null` while paused. */
  readonly nextAtMs: number | null;
  /** The last slot that was decided over. */
  readonly lastAtMs: number | null;
  /** The job that the last fired slot made. */
  readonly lastJobId: string | null;
}

/** Keeps schedules. Which slots fire is decided by `schedule/`, what a job of theirs may do by the policy; this stores. */
export interface ScheduleStore {
  /**
   * @param firstAtMs its first slot.
   * @returns `unchanged` when a schedule with the same content exists.
   * @throws AppError `SCHEDULE_EXISTS` when one with other content exists and `replace` is not set.
   */
  put(
    spec: ScheduleSpec,
    actor: Actor,
    options: { readonly replace: boolean; readonly firstAtMs: number },
  ): Promise<"created" | "unchanged" | "replaced">;
  get(name: string): Promise<ScheduleState | undefined>;
  list(): Promise<readonly ScheduleState[]>;
  /** @param nextAtMs where it goes on; absent: it pauses. False when there is none of that name. */
  setNext(name: string, nextAtMs: number | undefined): Promise<boolean>;
  /** False when there was none. */
  remove(name: string): Promise<boolean>;
  /** Schedules with a slot at or before this time. */
  due(nowMs: number): Promise<readonly ScheduleState[]>;
  /** Records what was decided over the due slots, but only while the schedule still stands at `expectedNextMs`. */
  advance(
    name: string,
    decided: {
      readonly expectedNextMs: number;
      readonly nextAtMs: number | null;
      readonly lastAtMs: number | null;
      readonly skipped: readonly { readonly instantMs: number; readonly reason: string }[];
    },
  ): Promise<void>;
}
