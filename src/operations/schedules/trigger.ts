import type { Accepted } from "../../backend/acceptance.ts";
import { scheduleActor } from "../../backend/schedule-runner.ts";
import { type Actor, strictest } from "../../policy/actor.ts";
import { EnqueuedJob, enqueued, SUBMIT_ERRORS } from "../jobs/enqueue.ts";
import { defineOperation } from "../operation.ts";
import { NamedSchedule, readSchedule } from "./schedule-output.ts";

/** Makes the job of a schedule at once, whether it is paused or not. */
export const triggerSchedule = defineOperation({
  name: "schedules.trigger",
  summary: "Make the job of a schedule now; its slots stay as they are.",
  access: "write",
  input: NamedSchedule,
  output: EnqueuedJob,
  errors: ["SCHEDULE_NOT_FOUND", ...SUBMIT_ERRORS],
  database: "write",
  positional: ["name"],
  loadsTypes: true,
  asksItself: true,
  jobs: () => [],
  lines: ({ job_id, state, trace_id, approval_id }) => [
    { job_id, state, trace_id, approval_id: approval_id ?? undefined },
  ],
  async run({ name }, { windlass, actor, clock }) {
    const schedule = await readSchedule(windlass, name);
    const { type, input, options } = schedule;
    const [accepted] = (await windlass.submit.submit([
      {
        type,
        input,
        options,
        // Neither the caller nor whoever made the schedule gains by the other.
        actor: strictest<Actor>(actor, scheduleActor(schedule)),
        operation: "schedules.trigger",
        slot: { schedule: name, instantMs: besideTheSlots(clock.now()), missed: 0 },
      },
    ])) as readonly [Accepted];
    return enqueued(accepted);
  },
});

/** Slots fall on whole minutes and are unique: a trigger at one must not take its place. */
function besideTheSlots(nowMs: number): number {
  return nowMs % 60_000 === 0 ? nowMs + 1 : nowMs;
}
