import { z } from "zod";
import { defineOperation } from "../operation.ts";
import { ScheduleOutput, scheduleLine, scheduleOutput } from "./schedule-output.ts";

/** Lists schedules by name. */
export const listSchedules = defineOperation({
  name: "schedules.list",
  summary: "List the schedules.",
  access: "read",
  input: z.strictObject({}),
  output: z.strictObject({ schedules: z.array(ScheduleOutput) }),
  errors: [],
  database: "read",
  lines: ({ schedules }) => schedules.map(scheduleLine),
  async run(_, { windlass: { backend } }) {
    return { schedules: (await backend.schedules.list()).map(scheduleOutput) };
  },
});
