import { parseCron } from "../../schedule/cron.ts";
import { defineOperation } from "../operation.ts";
import { firstInstant } from "./add.ts";
import { NamedSchedule, readSchedule, ScheduleOutput, scheduleLine, scheduleOutput } from "./schedule-output.ts";

/** Lets a paused schedule go on from now: what it missed meanwhile is not caught up. */
export const resumeSchedule = defineOperation({
  name: "schedules.resume",
  summary: "Let a paused schedule go on from now.",
  access: "write",
  input: NamedSchedule,
  output: ScheduleOutput,
  errors: ["SCHEDULE_NOT_FOUND", "POLICY_DENIED"],
  database: "write",
  positional: ["name"],
  lines: (schedule) => [scheduleLine(schedule)],
  async run({ name }, { windlass, clock }) {
    const schedule = await readSchedule(windlass, name);
    // One that runs keeps its next slot, which may be due at this moment.
    if (schedule.paused) {
      const next = firstInstant(parseCron(schedule.cron, schedule.timeZone), clock.now());
      await windlass.backend.schedules.setNext(name, next);
    }
    return scheduleOutput(await readSchedule(windlass, name));
  },
});
