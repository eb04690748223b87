import { z } from "zod";
import { ERRORS, isAppError } from "../../error.ts";
import { defineJob } from "../../job/definition.ts";
import { Count, HostName, PowerShellText, plainText, TraceId } from "../fields.ts";

const STEPS_DEFAULT = 50;
const STEPS_MAX = 1_000;
const TASK_LENGTH_MAX = 20_000;

const Input = z.strictObject({
  task: plainText("it shows in the logs of Aloha")
    .max(TASK_LENGTH_MAX, { error: `is longer than ${TASK_LENGTH_MAX} characters` })
    .refine((task) => task.trim() !== "", { error: "is empty; say what is to be done on the desktop" })
    .describe("What is to be done on the desktop, in words."),
  max_steps: z
    .int()
    .min(1)
    .max(STEPS_MAX)
    .default(STEPS_DEFAULT)
    .describe(
      `How many steps Aloha may do, 1 to ${STEPS_MAX}. It counts one less than it is told, so it is told one more.`,
    ),
  selected_screen: Count.default(0).describe("Which screen of the desktop, from 0, counted from the left."),
  demonstration: plainText()
    // Aloha joins it into paths, on which `..` alone would climb.
    .regex(/^(?!\.+$)[A-Za-z0-9_.-]{1,64}$/, { error: "is a name of up to 64 letters, digits and _ . -" })
    .default("example_trace")
    .describe(
      "The recorded demonstration that guides the run. Aloha runs without a guide, and does not say so, when it has none of that name. The default is its own.",
    ),
  host: HostName.describe("The Windows machine to act on."),
  idempotent_check: PowerShellText.optional().describe(
    "PowerShell that says whether the work is done already: exit 0 means yes, and then nothing is done. It must change nothing. Asked before the run, and after a crash whose outcome is unknown.",
  ),
  trace_id: TraceId.describe("The job's trace id. It is never given to Aloha."),
});

const Evidence = z.strictObject({
  source: z.literal("client_log").describe("Where the end was read."),
  steps: Count.describe("Steps that Aloha began."),
  failed_actions: Count.describe("Steps whose action could not be carried out."),
  log_offset: Count.describe("Where the run begins in the log of Aloha's client, in bytes."),
});

const Result = z.strictObject({
  state: z.enum(["completed", "skipped"]).describe("skipped: the check said that the work was done already."),
  evidence: Evidence.nullable().describe("What shows that the task is done; null when it was skipped."),
  duration_ms: Count.describe("How long the run took."),
});

/** The input of `aloha.run` as its handler receives it. */
export type AlohaRunInput = z.output<typeof Input>;

/** The result of `aloha.run`. */
export type AlohaRunResult = z.output<typeof Result>;

/**
 * Gives a task to the Aloha agent on the desktop of a Windows machine and waits for its end. It completes only when the
 * client's log shows that Aloha called the task done; steps that ran out are `STEP_LIMIT`, an end without evidence
 * `OUTCOME_UNKNOWN`. Nothing is started on a locked desktop (`DESKTOP_LOCKED`): the agent would see and reach nothing.
 *
 * One run per desktop at a time. `aloha/response.json` and `aloha/log.txt` are kept however it ended. The run outlives
 * its worker, and the next one follows it to its end. Tried again by itself: only what failed before anything was done.
 */
export const alohaRun = defineJob({
  name: "aloha.run",
  input: Input,
  result: Result,
  timeout: { max: "24h" },
  afterCrash: { field: "idempotent_check", cases: { undefined: "stop" }, otherwise: "check" },
  afterCrashByCaller: true,
  locks: ["desktop:<host>"],
  recordsEffects: true,
  traceId: "trace_id",
  retryable: precedesRun,
});

function precedesRun(error: unknown): boolean {
  return isAppError(error) && ERRORS[error.code].retry === "backoff" && error.details["acted"] !== true;
}
