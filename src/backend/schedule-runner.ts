import type { Clock } from "../clock.ts";
import { ERRORS, errorText, isAppError } from "../error.ts";
import { type Actor, strictest } from "../policy/actor.ts";
import { parseCron } from "../schedule/cron.ts";
import { decideSlots } from "../schedule/decide-slots.ts";
import type { Backend } from "./backend.ts";
import type { ScheduleState } from "./schedules.ts";
import type { Submit } from "./submit.ts";

/** What firing needs. */
export interface ScheduleRunnerParts {
  readonly backend: Backend;
  readonly submit: Submit;
  readonly clock: Clock;
  /** A slot that is later than this was missed. */
  readonly graceMs: number;
  readonly onError: (schedule: string, error: unknown) => void;
}

/**
 * Fires the slots that are due. Several processes may do it at once: a slot is unique by (schedule, instant), so one job is
 * made; a crash between the job and the schedule's next time is repaired by doing it again.
 */
export async function fireSchedules(parts: ScheduleRunnerParts): Promise<void> {
  for (const schedule of await parts.backend.schedules.due(parts.clock.now())) {
    try {
      await fireOne(parts, schedule);
    } catch (error) {
      parts.onError(schedule.name, error);
    }
  }
}

async function fireOne(
  { backend, submit, clock, graceMs, onError }: ScheduleRunnerParts,
  schedule: ScheduleState,
): Promise<void> {
  const { name, nextAtMs, lastAtMs } = schedule;
  if (nextAtMs === null) return;
  const decision = decideSlots({
    cron: parseCron(schedule.cron, schedule.timeZone),
    overlap: schedule.overlap,
    catchUp: schedule.catchUp,
    // Everything before the slot that it stands at is decided; that slot too, when another scheduler has fired it just now.
    // The job of that slot would otherwise count as the unfinished one before itself.
    lastInstantMs: Math.max(nextAtMs - 1, lastAtMs ?? 0),
    nowMs: clock.now(),
    previousUnfinished: await isUnfinished(backend, schedule.lastJobId),
    graceMs,
  });
  const actor = scheduleActor(schedule);
  if (decision.cancelPrevious && schedule.lastJobId !== null) await backend.cancel(schedule.lastJobId, actor);
  const refused: { instantMs: number; reason: string }[] = [];
  for (const { instantMs, missed } of decision.fire) {
    try {
      await submit.submit([
        {
          type: schedule.type,
          input: schedule.input,
          options: schedule.options,
          actor,
          operation: "schedules.fire",
          slot: { schedule: name, instantMs, missed },
        },
      ]);
    } catch (error) {
      // What will never be accepted is a skipped slot; anything else leaves the schedule where it stands and is tried again.
      if (!(isAppError(error) && ERRORS[error.code].retry === "never")) throw error;
      refused.push({ instantMs, reason: errorText(error) });
      onError(name, error);
    }
  }
  await backend.schedules.advance(name, {
    expectedNextMs: nextAtMs,
    nextAtMs: decision.nextInstantMs ?? null,
    lastAtMs: decision.lastInstantMs < nextAtMs ? null : decision.lastInstantMs,
    skipped: [...decision.skipped, ...refused],
  });
}

/** Jobs of a schedule keep the stricter of the schedule and whoever made it. */
export function scheduleActor(schedule: Pick<ScheduleState, "name" | "actor">): Actor {
  return strictest<Actor>(schedule.actor, { kind: "schedule", name: schedule.name, via: schedule.actor.via });
}

async function isUnfinished(backend: Backend, jobId: string | null): Promise<boolean> {
  return jobId !== null && (await backend.status(jobId))?.endedAtMs === null;
}
