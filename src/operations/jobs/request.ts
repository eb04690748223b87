import { z } from "zod";
import type { JobRequest } from "../../backend/submit.ts";
import { AppError } from "../../error.ts";
import type { SubmitOptions } from "../../job/options.ts";
import type { Actor } from "../../policy/actor.ts";
import { TextPairs } from "../fields.ts";

/** What a call may say about one job beside its type and input. */
export const CallOptions = z.strictObject({
  idempotency_key: z
    .string()
    .optional()
    .describe("Names the request: the same type, key and input give the first job back for 24 hours."),
  new: z.boolean().optional().describe("Makes a new job although the idempotency key is held."),
  priority: z.int().min(1).max(3).optional().describe("1 low, 2 normal, 3 high; default the type's, which is 2."),
  delay: z.string().optional().describe("Starts it so long from now, 1ms to 366d."),
  run_at: z.string().optional().describe("Starts it at this time, such as 2026-11-21T18:00:00Z."),
  expires_in: z
    .string()
    .optional()
    .describe("Expires it when it has not started so long after it was due, 1ms to 366d."),
  deadline: z.string().optional().describe("Ends the whole job, waiting included, after so long, 1ms to 366d."),
  timeout: z.string().optional().describe("Running time of one attempt, up to the type's maximum; default the type's."),
  retries: z.int().min(0).optional().describe("Extra attempts after a failure, up to the type's number."),
  retry_on: z.literal("exit").optional().describe("Also retries a non-zero exit, where the type allows it."),
  after_crash: z
    .enum(["rerun", "check", "stop"])
    .optional()
    .describe("What becomes of it when its worker dies; stricter than the type's, or any where the type allows it."),
  requires: TextPairs.optional().describe("Labels that the worker must have."),
  metadata: TextPairs.optional().describe("Free pairs to find the job by."),
  trace_id: z.string().optional().describe("Goes through everything that the job calls; default a new one."),
});

/** One job that is asked for. */
export const JobRequestInput = CallOptions.extend({
  type: z.string().describe("The job type, such as exec."),
  input: z.unknown().optional().describe("The input of the job; default {}."),
});

/** What {@link JobRequestInput} reads. */
export type JobRequestInput = z.output<typeof JobRequestInput>;

/** A request as the submit function takes it. */
export function toJobRequest({ type, input, ...call }: JobRequestInput, actor: Actor): JobRequest {
  return { type, input: input ?? {}, options: toSubmitOptions(call), actor };
}

/** Options of a call, without what was not said. */
export function toSubmitOptions(call: z.output<typeof CallOptions>): SubmitOptions {
  const { priority } = call;
  const options = {
    idempotencyKey: call.idempotency_key,
    fresh: call.new,
    priority: priority === 1 || priority === 2 || priority === 3 ? priority : undefined,
    delay: call.delay,
    runAt: call.run_at === undefined ? undefined : readTime(call.run_at),
    expiresIn: call.expires_in,
    deadline: call.deadline,
    timeout: call.timeout,
    retries: call.retries,
    retryOn: call.retry_on,
    afterCrash: call.after_crash,
    requires: call.requires,
    metadata: call.metadata,
    traceId: call.trace_id,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as SubmitOptions;
}

/** A time needs its zone: read as local time, it would mean another instant on another machine. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

function readTime(text: string): Date {
  const date = new Date(text);
  if (!TIME.test(text) || Number.isNaN(date.getTime()) || !isDay(text.slice(0, 10))) {
    throw new AppError(
      "INVALID_INPUT",
      `run_at: ${JSON.stringify(text)} is not a time with its zone; write it as 2026-11-21T18:00:00Z`,
    );
  }
  return date;
}

/** JavaScript takes February 30 for March 2. */
function isDay(text: string): boolean {
  return new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}
