import { type Cron, instantsBetween, nextInstant } from "./cron.ts";

/** What a schedule does with a slot while the job of an earlier one is unfinished. */
export type Overlap = "skip" | "allow" | "cancel-previous";

/** What a schedule does with slots that nobody was there to fire in time: one job for all of them, or none. */
export type CatchUp = "once" | "skip";

/** What {@link decideSlots} looks at. Times in Unix milliseconds. */
export interface SlotsQuestion {
  readonly cron: Cron;
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
  /** The newest slot already decided; for a schedule that is new, edited or resumed the time of that. */
  readonly lastInstantMs: number;
  readonly nowMs: number;
  /** True while a job of an earlier slot has not finished. */
  readonly previousUnfinished: boolean;
  /** A slot that is later than this is missed; at least a few ticks of the scheduler. */
  readonly graceMs: number;
}

/** A slot that becomes a job. A slot is named by its instant, and (schedule, instant) is unique. */
export interface FiredSlot {
  readonly instantMs: number;
  /** How many missed slots the job stands for; 0 for a job that is on time with nothing to catch up. */
  readonly missed: number;
}

/** A slot that becomes no job, and why: nobody fired it in time; a job was unfinished; a newer slot took its place. */
export interface SkippedSlot {
  readonly instantMs: number;
  readonly reason: "missed" | "overlap" | "superseded";
}

/** What the caller is to do, in this order: cancel, enqueue, store `lastInstantMs`, sleep until `nextInstantMs`. */
export interface SlotsDecision {
  /** True when the unfinished job of an earlier slot is to be cancelled. */
  readonly cancelPrevious: boolean;
  /** Oldest first. */
  readonly fire: readonly FiredSlot[];
  /** Oldest first. */
  readonly skipped: readonly SkippedSlot[];
  /** The newest slot that is decided by now; never before the one given. */
  readonly lastInstantMs: number;
  /** The next slot; `undefined` when there is none any more. */
  readonly nextInstantMs: number | undefined;
}

/** At most this many due slots are looked at, the newest ones: a year of minutes would stop the process for seconds. */
export const DUE_SLOTS_MAX = 10_000;

/**
 * Decides what becomes of the slots of a schedule that came due since the last decision.
 *
 * - Due is a slot after `lastInstantMs` and not after `nowMs`. So a clock that was set back fires nothing until it has
 *   passed the last slot again, and no slot is decided twice.
 * - A due slot is *late* when it is older than `graceMs`, else *on time*.
 * - Catch-up `once`: one job stands for all late slots and carries their number in `missed`: the first job on time when
 *   there is one, else a job at the newest late slot, itself counted. Catch-up `skip`: late slots are skipped as `missed`.
 * - Overlap `allow`: each slot on time fires. `skip`: nothing fires while the previous job is unfinished, and of several
 *   slots on time only the first, for the others would find it unfinished. `cancel-previous`: only the newest fires, and
 *   the previous job is cancelled when something fires. What does not fire for this is skipped, late slots too.
 * - Every due slot is fired, counted in a `missed`, or skipped. When more than {@link DUE_SLOTS_MAX} are due, the older
 *   ones are forgotten: then `missed` and `skipped` speak of the newest only.
 */
export function decideSlots(question: SlotsQuestion): SlotsDecision {
  const { cron, catchUp, lastInstantMs, nowMs, previousUnfinished, graceMs } = question;
  const due = findDue(cron, lastInstantMs, nowMs);
  const late = due.filter((instantMs) => nowMs - instantMs > graceMs);
  const onTime = due.slice(late.length);
  const caughtUp = catchUp === "once" ? late : [];
  const { fire, skipped } = choose(question.overlap, previousUnfinished, caughtUp, onTime);
  return {
    cancelPrevious: question.overlap === "cancel-previous" && previousUnfinished && fire.length > 0,
    fire,
    skipped: catchUp === "once" ? skipped : [...skip(late, "missed"), ...skipped],
    lastInstantMs: due.at(-1) ?? lastInstantMs,
    nextInstantMs: nextInstant(cron, Math.max(nowMs, lastInstantMs)),
  };
}

function choose(
  overlap: Overlap,
  previousUnfinished: boolean,
  late: readonly number[],
  onTime: readonly number[],
): { fire: readonly FiredSlot[]; skipped: readonly SkippedSlot[] } {
  if (overlap === "skip" && previousUnfinished) {
    return { fire: [], skipped: skip([...late, ...onTime], "overlap") };
  }
  const newestLate = late.at(-1);
  const [first, ...others] = onTime.length > 0 || newestLate === undefined ? onTime : [newestLate];
  if (first === undefined) return { fire: [], skipped: [] };
  const missed = late.length;
  switch (overlap) {
    case "allow":
      return {
        fire: [{ instantMs: first, missed }, ...others.map((instantMs) => ({ instantMs, missed: 0 }))],
        skipped: [],
      };
    case "skip":
      return { fire: [{ instantMs: first, missed }], skipped: skip(others, "overlap") };
    case "cancel-previous": {
      const newest = others.at(-1) ?? first;
      return { fire: [{ instantMs: newest, missed }], skipped: skip(onTime.slice(0, -1), "superseded") };
    }
  }
}

function skip(instants: readonly number[], reason: SkippedSlot["reason"]): readonly SkippedSlot[] {
  return instants.map((instantMs) => ({ instantMs, reason }));
}

/** The due slots, oldest first; the newest {@link DUE_SLOTS_MAX} when there are more. */
function findDue(cron: Cron, lastInstantMs: number, nowMs: number): readonly number[] {
  const due = instantsBetween(cron, lastInstantMs, nowMs, DUE_SLOTS_MAX + 1);
  if (due.length <= DUE_SLOTS_MAX) return due;
  // Look back over longer and longer spans until one holds enough; every span costs at most twice the slots wanted.
  let newest: readonly number[] = [];
  for (let spanMs = DUE_SLOTS_MAX * 60_000; newest.length < DUE_SLOTS_MAX; spanMs *= 2) {
    newest = instantsBetween(cron, Math.max(lastInstantMs, nowMs - spanMs), nowMs, Number.POSITIVE_INFINITY);
  }
  return newest.slice(-DUE_SLOTS_MAX);
}
