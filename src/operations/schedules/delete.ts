import { z } from "zod";
import { defineOperation } from "../operation.ts";
import { NamedSchedule, readSchedule } from "./schedule-output.ts";

/** Removes a schedule. */
export const deleteSchedule = defineOperation({
  name: "schedules.delete",
  summary: "Delete a schedule; the jobs that it made stay.",
  access: "write",
  input: NamedSchedule,
  output: z.strictObject({ name: z.string(), state: z.literal("deleted") }),
  errors: ["SCHEDULE_NOT_FOUND", "POLICY_DENIED"],
  database: "write",
  positional: ["name"],
  async run({ name }, { windlass }) {
    await readSchedule(windlass, name);
    await windlass.backend.schedules.remove(name);
    return { name, state: "deleted" as const };
  },
});
