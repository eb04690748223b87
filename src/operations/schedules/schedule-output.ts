import { z } from "zod";
import type { ScheduleState } from "../../backend/schedules.ts";
import { AppError } from "../../error.ts";
import { JobId } from "../../id.ts";
import type { Pairs } from "../../logfmt.ts";
import { formatActor } from "../../policy/actor.ts";
import { Timestamp, timestamp, timestampOrNull } from "../fields.ts";
import type { OperationParts } from "../operation.ts";

/** The name of a schedule. */
export const ScheduleName = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,128}$/, { error: "must be 1 to 128 of the characters A-Z a-z 0-9 . _ : -" })
  .describe("The schedule's name.");

/** Which schedule is meant. */
export const NamedSchedule = z.strictObject({ name: ScheduleName });

/** What a schedule does while a job of an earlier slot is unfinished. */
export const OverlapField = z.enum(["skip", "allow", "cancel-previous"]);

/** What a schedule does with slots that nobody was there to fire. */
export const CatchUpField = z.enum(["once", "skip"]);

/** A schedule as every surface shows it. */
export const ScheduleOutput = z.strictObject({
  name: z.string(),
  cron: z.string(),
  time_zone: z.string(),
  type: z.string(),
  input: z.unknown(),
  overlap: OverlapField,
  catch_up: CatchUpField,
  state: z.enum(["active", "paused"]),
  next_at: Timestamp.nullable(),
  last_at: Timestamp.nullable(),
  last_job_id: JobId.nullable(),
  actor: z.string(),
  created_at: Timestamp,
});

/** A schedule as every surface shows it. */
export type ScheduleOutput = z.output<typeof ScheduleOutput>;

/** Turns a schedule of the backend into what surfaces show. */
export function scheduleOutput(schedule: ScheduleState): ScheduleOutput {
  return {
    name: schedule.name,
    cron: schedule.cron,
    time_zone: schedule.timeZone,
    type: schedule.type,
    input: schedule.input,
    overlap: schedule.overlap,
    catch_up: schedule.catchUp,
    state: schedule.paused ? "paused" : "active",
    next_at: timestampOrNull(schedule.nextAtMs),
    last_at: timestampOrNull(schedule.lastAtMs),
    last_job_id: schedule.lastJobId,
    actor: formatActor(schedule.actor),
    created_at: timestamp(schedule.createdAtMs),
  };
}

/** The line of a schedule in a list. */
export function scheduleLine({ name, state, cron, time_zone, type, next_at, last_job_id }: ScheduleOutput): Pairs {
  return {
    name,
    state,
    cron,
    time_zone,
    type,
    next_at: next_at ?? undefined,
    last_job_id: last_job_id ?? undefined,
  };
}

/**
 * Reads a schedule.
 *
 * @throws AppError `SCHEDULE_NOT_FOUND`; its details are what a surface shows beside it.
 */
export async function readSchedule({ backend }: Pick<OperationParts, "backend">, name: string): Promise<ScheduleState> {
  const schedule = await backend.schedules.get(name);
  if (schedule !== undefined) return schedule;
  throw new AppError(
    "SCHEDULE_NOT_FOUND",
    `there is no schedule ${name}; \`windlass schedules list\` shows those that there are`,
    { details: { name, state: "not_found" } },
  );
}
