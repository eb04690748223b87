import { defineOperation } from "../operation.ts";
import { NamedSchedule, readSchedule, ScheduleOutput, scheduleOutput } from "./schedule-output.ts";

/** Shows one schedule. */
export const showSchedule = defineOperation({
  name: "schedules.show",
  summary: "Show one schedule.",
  access: "read",
  input: NamedSchedule,
  output: ScheduleOutput,
  errors: ["SCHEDULE_NOT_FOUND"],
  database: "read",
  positional: ["name"],
  run: async ({ name }, { windlass }) => scheduleOutput(await readSchedule(windlass, name)),
});
