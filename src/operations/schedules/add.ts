import { z } from "zod";
import { askToReplace } from "../../backend/ask-to-replace.ts";
import { AppError } from "../../error.ts";
import { type Cron, nextInstant, parseCron } from "../../schedule/cron.ts";
import { timestampOrNull } from "../fields.ts";
import { SUBMIT_ERRORS } from "../jobs/enqueue.ts";
import { CallOptions, toSubmitOptions } from "../jobs/request.ts";
import { defineOperation } from "../operation.ts";
import {
  CatchUpField,
  OverlapField,
  readSchedule,
  ScheduleName,
  ScheduleOutput,
  scheduleOutput,
} from "./schedule-output.ts";

const JobOptions = CallOptions.pick({
  priority: true,
  timeout: true,
  deadline: true,
  retries: true,
  expires_in: true,
  metadata: true,
  requires: true,
});

/** Makes a schedule, after its line, type and input were found sound. */
export const addSchedule = defineOperation({
  name: "schedules.add",
  summary: "Add a schedule that makes jobs.",
  description:
    "The same name with the same content changes nothing; with other content it needs --replace, and where a freer party made the other one, the right to delete it.",
  access: "write",
  input: z.strictObject({
    name: ScheduleName,
    cron: z.string().describe('Five fields: minute, hour, day of month, month, day of week, such as "0 7 * * 1-5".'),
    tz: z.string().default("UTC").describe("The time zone of the line, an IANA name."),
    overlap: OverlapField.default("skip").describe("What happens while a job of an earlier slot is unfinished."),
    catch_up: CatchUpField.default("once").describe("One job for all slots that nobody was there to fire, or none."),
    replace: z.boolean().optional().describe("Changes a schedule of this name that has other content."),
    ...JobOptions.shape,
    type: z.string().describe("The job type, such as exec."),
    input: z.unknown().optional().describe("The input of each job; default {}."),
  }),
  output: ScheduleOutput.extend({ change: z.enum(["created", "unchanged", "replaced"]) }),
  errors: ["INVALID_CRON", "SCHEDULE_EXISTS", ...SUBMIT_ERRORS],
  database: "write",
  positional: ["name"],
  loadsTypes: true,
  asksItself: true,
  jobs: (request) => [request],
  lines: ({ name, change, state, next_at }) => [{ name, state, change, next_at: next_at ?? undefined }],
  async run({ name, cron: expression, tz, type, input = {}, overlap, catch_up, replace, ...call }, context) {
    const { windlass, actor, clock } = context;
    const cron = parseCron(expression, tz);
    const options = toSubmitOptions(call);
    await windlass.submit.load(type);
    const { use } = windlass.submit.prepare({ type, input, options, actor, operation: "schedules.add" });
    const { schedules, policyLog } = windlass.backend;
    if (replace === true) await askToReplace({ gate: await context.gate(), schedules }, name, actor);
    if (use !== undefined) await policyLog.takeUse(use);
    const spec = { name, cron: cron.expression, timeZone: tz, type, input, options, overlap, catchUp: catch_up };
    const firstAtMs = firstInstant(cron, clock.now());
    const change = await schedules.put(spec, actor, { replace: replace ?? false, firstAtMs });
    return { ...scheduleOutput(await readSchedule(windlass, name)), change };
  },
});

/** Where a schedule stands that starts now. */
export function firstInstant(cron: Cron, nowMs: number): number {
  const next = nextInstant(cron, nowMs);
  if (next !== undefined) return next;
  throw new AppError(
    "INVALID_CRON",
    `cron ${JSON.stringify(cron.expression)} never comes true after ${timestampOrNull(nowMs)}`,
  );
}
