import { askToReplace } from "../backend/ask-to-replace.ts";
import type { ScheduleSpec } from "../backend/schedules.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { AppError, isAppError } from "../error.ts";
import { checkOptions } from "../job/check-options.ts";
import type { JobType } from "../job/definition.ts";
import { SUBMIT_OPTIONS } from "../job/option-names.ts";
import type { SubmitOptions } from "../job/options.ts";
import { nextInstant, parseCron } from "../schedule/cron.ts";
import type { CatchUp, Overlap } from "../schedule/decide-slots.ts";
import { type ClientParts, nameOfType } from "./parts.ts";
import type { SubmittedJob } from "./requests.ts";
import { submitJobs } from "./submit-jobs.ts";

/** When a single future job starts, and the options of a submit beside it. */
export type FutureTime = Omit<SubmitOptions, "delay" | "runAt"> &
  (
    | {
        /** This long from now; 1 ms to 366 d. */
        readonly after: Duration;
        readonly at?: never;
        readonly cron?: never;
      }
    | {
        /** At this time. A past time is now. */
        readonly at: Date;
        readonly after?: never;
        readonly cron?: never;
      }
  );

/** The options that each job of a schedule is submitted with. */
type ScheduledOptions = ScheduleSpec["options"];

/** When a schedule makes its jobs. */
export interface CronTimes extends ScheduledOptions {
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly cron: string;
  /** An IANA name, such as `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string;
  /** 1 to 128 characters of `A-Z a-z 0-9 . _ : -`, unique. Default: the name of the job type. */
  readonly name?: string;
  /** What to do while the last job of the schedule has not ended. Default `skip`. */
  readonly overlap?: Overlap;
  /** What to do about times that passed while no worker ran. Default `once`: one job for all of them. */
  readonly catchUp?: CatchUp;
  /** Changes the schedule of that name when it has other content. Default false. */
  readonly replace?: boolean;
  readonly after?: never;
  readonly at?: never;
}

/** A future job that was made. */
export interface FutureJob extends SubmittedJob {
  readonly kind: "job";
  /** When it may start. */
  readonly at: Date;
}

/** A schedule that was made, found or changed. */
export interface NewSchedule {
  readonly kind: "schedule";
  readonly name: string;
  readonly change: "created" | "unchanged" | "replaced";
  /** When it makes its next job; `null` while it is paused. */
  readonly at: Date | null;
}

/** What is still to come. */
export type ScheduledItem =
  | { readonly kind: "job"; readonly jobId: string; readonly type: string; readonly at: Date }
  | {
      readonly kind: "schedule";
      readonly name: string;
      readonly type: string;
      readonly cron: string;
      readonly timeZone: string;
      readonly paused: boolean;
      /** When it makes its next job; `null` while it is paused. */
      readonly at: Date | null;
    };

const TIMES = ["after", "at", "cron"] as const;
const NAME = /^[A-Za-z0-9._:-]{1,128}$/;
const OVERLAPS: readonly Overlap[] = ["skip", "allow", "cancel-previous"];
const CATCH_UPS: readonly CatchUp[] = ["once", "skip"];
const FUTURE_OPTIONS = SUBMIT_OPTIONS.filter((option) => option !== "delay" && option !== "runAt");
const CRON_OPTIONS = Object.keys({
  cron: true,
  timeZone: true,
  name: true,
  overlap: true,
  catchUp: true,
  replace: true,
  after: true,
  at: true,
  priority: true,
  timeout: true,
  deadline: true,
  retries: true,
  expiresIn: true,
  metadata: true,
  requires: true,
} satisfies Record<keyof CronTimes, true>);

/** Makes a future job or a schedule, by which of the three times is given. */
export function schedule(
  parts: ClientParts,
  type: JobType | string,
  input: unknown,
  times: FutureTime | CronTimes,
): Promise<FutureJob | NewSchedule> {
  const call = `schedule of ${nameOfType(parts, type)}`;
  const given = TIMES.filter((time) => times?.[time] !== undefined);
  if (given.length !== 1)
    throw new AppError(
      "INVALID_INPUT",
      `${call}: give one of { after }, { at } and { cron }${given.length === 0 ? "" : `, not ${given.join(" and ")}`}`,
    );
  return times.cron === undefined ? makeFutureJob(parts, type, input, times) : addSchedule(parts, type, input, times);
}

async function makeFutureJob(
  parts: ClientParts,
  type: JobType | string,
  input: unknown,
  { after, at, cron: _, ...options }: FutureTime,
): Promise<FutureJob> {
  if (at !== undefined && !(at instanceof Date && Number.isFinite(at.getTime())))
    throw new AppError("INVALID_INPUT", `schedule: at is not a date; write new Date("2027-01-01T08:00:00Z")`);
  checkOptions("schedule", options, FUTURE_OPTIONS);
  const time = at === undefined ? { delay: parseDuration(after, { what: "after" }) } : { runAt: at };
  const [job] = await submitJobs(parts, [{ type, input, options: { ...options, ...time } }]);
  const status = job === undefined ? undefined : await parts.windlass.backend.status(job.jobId);
  if (job === undefined || status === undefined) throw new AppError("INTERNAL", "the backend accepted nothing");
  return { kind: "job", ...job, at: new Date(status.dueAtMs) };
}

async function addSchedule(
  { windlass, ...parts }: ClientParts,
  type: JobType | string,
  input: unknown,
  times: CronTimes,
): Promise<NewSchedule> {
  checkOptions("schedule", times, CRON_OPTIONS);
  const { cron: line, timeZone = "UTC", overlap = "skip", catchUp = "once", replace = false, ...rest } = times;
  checkWord("cron", line, typeof line === "string", "five fields, such as 30 2 * * *");
  const cron = parseCron(line, timeZone);
  const typeName = nameOfType({ windlass, ...parts }, type);
  const { name = typeName, after: _, at: __, ...options } = rest;
  checkWord("name", name, NAME.test(name), "1 to 128 of the characters A-Z a-z 0-9 . _ : -");
  checkWord("overlap", overlap, OVERLAPS.includes(overlap), OVERLAPS.join(" or "));
  checkWord("catchUp", catchUp, CATCH_UPS.includes(catchUp), CATCH_UPS.join(" or "));
  await windlass.submit.load(typeName);
  // Refuses now what every job of the schedule would be refused for; nothing of it is stored.
  const { actor } = parts;
  const { use } = windlass.submit.prepare({ type: typeName, input, options, actor, operation: "schedules.add" });
  const firstAtMs = nextInstant(cron, windlass.clock.now());
  if (firstAtMs === undefined)
    throw new AppError("INVALID_CRON", `cron ${JSON.stringify(line)}: never comes true again`);
  const spec = { name, cron: cron.expression, timeZone, type: typeName, input, options, overlap, catchUp };
  const { schedules, policyLog } = windlass.backend;
  if (replace) await askToReplace({ gate: windlass.gate, schedules }, name, actor);
  if (use !== undefined) await policyLog.takeUse(use);
  const change = await schedules.put(spec, actor, { replace, firstAtMs }).catch(sayHowToReplace);
  const nextAtMs = (await schedules.get(name))?.nextAtMs ?? null;
  return { kind: "schedule", name, change, at: nextAtMs === null ? null : new Date(nextAtMs) };
}

function checkWord(option: string, value: unknown, ok: boolean, rule: string): void {
  if (!ok) throw new AppError("INVALID_INPUT", `schedule: ${option} is ${JSON.stringify(value)}; it must be ${rule}`);
}

function sayHowToReplace(error: unknown): never {
  if (!isAppError(error) || error.code !== "SCHEDULE_EXISTS") throw error;
  throw new AppError(
    "SCHEDULE_EXISTS",
    error.message.replace(/;.*/, "; say replace: true to change it, or give another name"),
    { cause: error },
  );
}
