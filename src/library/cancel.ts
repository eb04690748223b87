import { AppError } from "../error.ts";
import { isUuid7 } from "../id.ts";
import { nearest } from "../job/nearest.ts";
import type { JobState } from "../job/state.ts";
import { askPolicy, type ClientParts } from "./parts.ts";

/** What was cancelled, and how far it got. */
export type Cancelled =
  | {
      /** `future_job`: its time had not come. */
      readonly kind: "job" | "future_job";
      readonly jobId: string;
      /**
       * `cancelled`: it will not run. `requested`: it runs; its signal fires and it ends as `cancelled` when its handler has
       * stopped. `finished`: it had ended before, as `state` says.
       */
      readonly outcome: "cancelled" | "requested" | "finished";
      readonly state: JobState;
    }
  | { readonly kind: "schedule"; readonly name: string; readonly outcome: "cancelled" };

/** Cancels whatever the text names. */
export async function cancelNamed(parts: ClientParts, text: string): Promise<Cancelled> {
  if (typeof text !== "string")
    throw new AppError("INVALID_INPUT", `cancel takes a job's id or a schedule's name; this is ${typeof text}`);
  const cancelled = (isUuid7(text) ? await cancelJob(parts, text) : undefined) ?? (await cancelSchedule(parts, text));
  if (cancelled !== undefined) return cancelled;
  const names = (await parts.windlass.backend.schedules.list()).map(({ name }) => name);
  const near = nearest(text, names, 1)[0];
  throw new AppError(
    "JOB_NOT_FOUND",
    `there is no job and no schedule ${JSON.stringify(text)}${near === undefined ? "" : `; did you mean the schedule ${near}?`}`,
  );
}

async function cancelJob(parts: ClientParts, jobId: string): Promise<Cancelled | undefined> {
  const { backend } = parts.windlass;
  const before = await backend.status(jobId);
  if (before === undefined) return undefined;
  await askPolicy(parts, "jobs.cancel");
  const kind = before.state === "scheduled" && before.attempt === 0 ? "future_job" : "job";
  const result = await backend.cancel(jobId, parts.actor);
  switch (result.kind) {
    case "cancelled":
      return { kind, jobId, outcome: "cancelled", state: "cancelled" };
    case "requested":
      return { kind, jobId, outcome: "requested", state: before.state };
    case "finished":
      return { kind, jobId, outcome: "finished", state: result.state };
    case "not_found":
      return undefined;
  }
}

async function cancelSchedule(parts: ClientParts, name: string): Promise<Cancelled | undefined> {
  const { schedules } = parts.windlass.backend;
  if ((await schedules.get(name)) === undefined) return undefined;
  await askPolicy(parts, "schedules.delete");
  return (await schedules.remove(name)) ? { kind: "schedule", name, outcome: "cancelled" } : undefined;
}
