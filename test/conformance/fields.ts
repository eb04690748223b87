import type { z } from "zod";
import type { ScheduleSpec } from "../../src/backend/schedules.ts";
import type { JobDefinition } from "../../src/job/definition.ts";
import type { SubmitOptions } from "../../src/job/options.ts";
import type { JobState } from "../../src/job/state.ts";

/** A case: its file in this folder, and words of its title. */
export type CaseName = readonly [file: string, title: string];

/** Every field of a job type and the case that holds it. The compiler refuses a field without one. */
export const DEFINITION_CASES = {
  name: ["types", "two types of one name are refused"],
  version: ["types", "what is published says name, version, rules and the input's schema"],
  input: ["limits", "one wrong input stores nothing"],
  result: ["retries", "a result that its schema refuses fails the job"],
  timeout: ["time-limits", "runs longer than its type's timeout fails with TIMEOUT"],
  deadline: ["time-limits", "a type's own deadline holds where the call says none"],
  retries: ["retries", "a type's number of retries is extra attempts"],
  backoff: ["retries", "a type's back-off grows by its factor up to its cap"],
  retryable: ["retries", "a type says itself which errors are tried again"],
  afterCrash: ["crash", "each crash rule: rerun runs again, check asks first"],
  concurrency: ["concurrency", "no more jobs of one key run at once than its limit"],
  locks: ["concurrency", "a lock with a value of the input holds across types"],
  rateLimit: ["rate", "no more jobs start than the limit allows"],
  idempotency: ["idempotency", "a key is free again after the type's window"],
  requires: ["labels", "a job runs only on a worker that has the labels of its type"],
  secrets: ["secrets", "a secret that is not in the type's list is refused"],
  cron: ["schedule-types", "a cron line of a type makes a schedule named after it"],
  priority: ["order", "a type's own priority holds where the call says none"],
  queuedMax: ["limits", "queuedMax: one job more than may wait is refused"],
  afterCrashByCaller: ["crash", "unless the type leaves it to the caller"],
  retryOnExit: ["retries", "a retry of a non-zero exit is asked for by the call"],
  recordsEffects: ["effects", "an effect that was recorded goes to the next attempt"],
  traceId: ["types", "a trace id of the input becomes the job's"],
  run: ["states", "a job goes from queued through running to completed"],
  check: ["crash", "work that turns out to be done already is skipped"],
} as const satisfies Record<keyof JobDefinition<string, z.ZodType, z.ZodType>, CaseName>;

/** Every option of a call. */
export const OPTION_CASES = {
  idempotencyKey: ["idempotency", "the same type, key and input give the first job back"],
  fresh: ["idempotency", "fresh makes a new job although the key is held"],
  priority: ["order", "a high priority goes before a normal one"],
  delay: ["order", "a delayed job never starts early"],
  runAt: ["order", "a job with a time of its own starts then"],
  expiresIn: ["order", "a job that nobody started in time expires"],
  deadline: ["time-limits", "a deadline ends a running job for good"],
  timeout: ["time-limits", "a call may choose a timeout up to the type's maximum"],
  retries: ["retries", "a call may ask for fewer retries and not for more"],
  retryOn: ["retries", "a retry of a non-zero exit is asked for by the call"],
  afterCrash: ["crash", "a call may be stricter than its type and not laxer"],
  requires: ["labels", "a call may require more labels"],
  metadata: ["reading", "metadata: all given pairs must hold"],
  traceId: ["children", "a child belongs to its parent: same trace"],
} as const satisfies Record<keyof SubmitOptions, CaseName>;

/** Every field of a schedule. */
export const SCHEDULE_CASES = {
  name: ["schedules", "schedules are listed, found by name and removed"],
  cron: ["schedules", "a schedule makes one job for each slot"],
  timeZone: ["schedule-time-zones", "a fixed time of day keeps its local hour in its time zone"],
  type: ["schedules", "a slot whose job is refused for good is passed over"],
  input: ["schedules", "with its input and options"],
  options: ["schedules", "with its input and options"],
  overlap: ["schedule-overlap", "overlap skip: nothing fires while"],
  catchUp: ["schedule-overlap", "catch-up once: one job stands for all slots"],
} as const satisfies Record<keyof ScheduleSpec, CaseName>;

/** Every move between states. */
export const MOVE_CASES: Readonly<Record<string, CaseName | null>> = {
  "scheduled queued": ["states", "scheduled to queued: its time comes"],
  "scheduled cancelled": ["states", "scheduled to cancelled: at once"],
  "scheduled expired": ["states", "scheduled to expired: its time came and went"],
  "scheduled failed": ["states", "scheduled to failed: its deadline passes first"],
  "queued running": ["states", "a job goes from queued through running to completed"],
  "queued cancelled": ["states", "queued to cancelled: at once"],
  "queued expired": ["states", "queued to expired: nobody started it in time"],
  "queued failed": ["states", "queued to failed: its deadline passes while it waits"],
  "running scheduled": ["states", "running to scheduled: a failure that is tried again"],
  "running queued": ["states", "running to queued: a worker that stops gives it back"],
  "running completed": ["states", "a job goes from queued through running to completed"],
  "running failed": ["states", "running to failed: nothing is left to try"],
  "running cancelled": ["states", "running to cancelled: its handler has stopped"],
  "running waiting": ["durable-suspension", "a waiting job has no slot and keeps its keys"],
  "waiting scheduled": ["approval-states", "waiting to scheduled: one that is due later says so"],
  "waiting queued": ["approval-states", "waiting to queued: it waits and holds nothing"],
  "waiting cancelled": ["approval-states", "waiting to cancelled: at once, and its question is withdrawn"],
  "waiting failed": ["approval-states", "waiting to failed: one rejection is a veto"],
  "waiting expired": ["approval-states", "waiting to expired: nobody decided in time"],
} satisfies Partial<Record<`${JobState} ${JobState}`, CaseName | null>>;
