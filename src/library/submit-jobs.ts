import type { Accepted } from "../backend/acceptance.ts";
import type { JobRequest } from "../backend/submit.ts";
import { AppError } from "../error.ts";
import { checkOptions } from "../job/check-options.ts";
import type { JobType } from "../job/definition.ts";
import { SUBMIT_OPTIONS } from "../job/option-names.ts";
import type { SubmitOptions } from "../job/options.ts";
import { type ClientParts, nameOfType } from "./parts.ts";
import type { SubmitRequest, SubmittedJob } from "./requests.ts";

/** Submits jobs, all or none. */
export async function submitJobs(
  parts: ClientParts,
  requests: readonly SubmitRequest<JobType | string>[],
): Promise<readonly SubmittedJob[]> {
  if (!Array.isArray(requests))
    throw new AppError("INVALID_INPUT", "submitMany takes a list of { type, input, options? }");
  if (requests.length === 0) return [];
  const accepted = await parts.windlass.submit.submit(requests.map((request) => jobRequest(parts, request)));
  return accepted.map(submittedJob);
}

/** One request as the one submit function takes it. */
export function jobRequest(
  parts: ClientParts,
  { type, input, options = {} }: SubmitRequest<JobType | string>,
): JobRequest {
  const name = nameOfType(parts, type);
  checkSubmitOptions(`submit of ${name}`, options);
  return { type: name, input, options, actor: parts.actor };
}

/** @throws AppError `INVALID_INPUT` for an option that does not exist, or a `runAt` that is no date. */
export function checkSubmitOptions(call: string, options: SubmitOptions, more: readonly string[] = []): void {
  checkOptions(call, options, [...SUBMIT_OPTIONS, ...more]);
  if (options.runAt !== undefined && !(options.runAt instanceof Date))
    throw new AppError("INVALID_INPUT", `${call}: runAt is not a Date; write new Date("2027-01-01T08:00:00Z")`);
}

/** An acceptance as users of the library see it. */
export function submittedJob(accepted: Accepted): SubmittedJob {
  const { jobId, state, traceId, queuedAtMs, existing, approvalId = null } = accepted;
  return { jobId, state, traceId, queuedAt: new Date(queuedAtMs), existing, approvalId };
}
