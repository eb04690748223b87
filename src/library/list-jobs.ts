import { AppError } from "../error.ts";
import { checkOptions } from "../job/check-options.ts";
import type { JobType } from "../job/definition.ts";
import { JOB_STATES, type JobState, type Outcome } from "../job/state.ts";
import { dateOrNull } from "./job-status.ts";
import { type ClientParts, nameOfType } from "./parts.ts";

/** Which jobs to list; all conditions hold. */
export interface ListFilter {
  readonly state?: JobState;
  /** A job type or its name. */
  readonly type?: JobType | string;
  /** Jobs that carry all of these pairs. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Queued then or later. */
  readonly since?: Date;
  /** 1 to 1,000. Default 100. */
  readonly limit?: number;
  /** Where an earlier page ended. */
  readonly cursor?: string;
}

/** One job of a list. */
export interface ListedJob {
  readonly jobId: string;
  readonly type: string;
  readonly state: JobState;
  readonly outcome: Outcome | null;
  /** How often its newest run was started. */
  readonly attempt: number;
  readonly queuedAt: Date;
  /** When it may start; later than `queuedAt` for a future job and while a retry waits. */
  readonly dueAt: Date;
  /** When the newest attempt started. */
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

/** One page of a list, newest first. */
export interface JobPage {
  readonly jobs: readonly ListedJob[];
  /** Pass it as the next `cursor`; `null` on the last page. */
  readonly cursor: string | null;
}

const FILTERS = ["state", "type", "metadata", "since", "limit", "cursor"] satisfies (keyof ListFilter)[];

/** One page of jobs. */
export async function listJobs(parts: ClientParts, filter: ListFilter): Promise<JobPage> {
  checkOptions("list", filter, FILTERS);
  const { state, type, metadata, since, limit = 100, cursor } = filter;
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 1_000))
    throw new AppError("INVALID_INPUT", `list: limit is ${limit}; it must be 1 to 1000`);
  if (state !== undefined && !JOB_STATES.includes(state))
    throw new AppError("INVALID_INPUT", `list: state is ${JSON.stringify(state)}; states are ${JOB_STATES.join(", ")}`);
  if (since !== undefined && !(since instanceof Date && Number.isFinite(since.getTime())))
    throw new AppError("INVALID_INPUT", "list: since is not a date");
  const page = await parts.windlass.backend.list({
    limit,
    ...(state === undefined ? {} : { state }),
    ...(type === undefined ? {} : { type: nameOfType(parts, type) }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(since === undefined ? {} : { sinceMs: since.getTime() }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  return {
    jobs: page.jobs.map(({ queuedAtMs, dueAtMs, startedAtMs, endedAtMs, ...job }) => ({
      ...job,
      queuedAt: new Date(queuedAtMs),
      dueAt: new Date(dueAtMs),
      startedAt: dateOrNull(startedAtMs),
      endedAt: dateOrNull(endedAtMs),
    })),
    cursor: page.cursor,
  };
}
