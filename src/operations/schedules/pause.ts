import { defineOperation } from "../operation.ts";
import { NamedSchedule, readSchedule, ScheduleOutput, scheduleLine, scheduleOutput } from "./schedule-output.ts";

/** Lets a schedule rest. */
export const pauseSchedule = defineOperation({
  name: "schedules.pause",
  summary: "Pause a schedule; its jobs go on.",
  access: "write",
  input: NamedSchedule,
  output: ScheduleOutput,
  errors: ["SCHEDULE_NOT_FOUND", "POLICY_DENIED"],
  database: "write",
  positional: ["name"],
  lines: (schedule) => [scheduleLine(schedule)],
  async run({ name }, { windlass }) {
    await readSchedule(windlass, name);
    await windlass.backend.schedules.setNext(name, undefined);
    return scheduleOutput(await readSchedule(windlass, name));
  },
});
