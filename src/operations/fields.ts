import { z } from "zod";
import { AppError, isErrorCode } from "../error.ts";
import type { Verdict } from "./operation.ts";

/** A time as it crosses a border: RFC 3339 in UTC with milliseconds. */
export const Timestamp = z.iso.datetime({ precision: 3 });

/** An error as it crosses a border: `CODE: message`. */
export const ErrorText = z.string().regex(/^[A-Z_]+: /);

/** Pairs of texts, such as metadata. */
export const TextPairs = z.record(z.string(), z.string());

/** Writes Unix milliseconds as a {@link Timestamp}. */
export function timestamp(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

/** As {@link timestamp}; `null` stays `null`. */
export function timestampOrNull(unixMs: number | null): string | null {
  return unixMs === null ? null : timestamp(unixMs);
}

/** An {@link ErrorText} that an answer holds, as its verdict. */
export function verdictOf(error: string | null): Verdict | undefined {
  if (error === null) return undefined;
  const end = error.indexOf(":");
  const code = error.slice(0, end);
  return { code: isErrorCode(code) ? code : "INTERNAL", message: error.slice(end + 2) };
}

/** The error about a job that a database does not have. Its details are what a surface shows beside it. */
export function jobNotFound(jobId: string, database: string): AppError {
  return new AppError(
    "JOB_NOT_FOUND",
    `there is no job ${jobId} in ${database}; \`windlass jobs list\` shows those that there are`,
    { details: { job_id: jobId, state: "not_found" } },
  );
}
