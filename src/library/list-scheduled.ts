import type { Backend } from "../backend/backend.ts";
import { dateOrNull } from "./job-status.ts";
import type { ScheduledItem } from "./schedule.ts";

/** Read at a time. */
const PAGE = 1_000;

/** Future jobs and schedules, the soonest first, paused schedules last. */
export async function listScheduled(backend: Backend): Promise<readonly ScheduledItem[]> {
  const items = [...(await futureJobs(backend)), ...(await schedules(backend))];
  const time = ({ at }: ScheduledItem): number => at?.getTime() ?? Number.POSITIVE_INFINITY;
  return items.sort((a, b) => time(a) - time(b) || 0);
}

async function futureJobs(backend: Backend): Promise<ScheduledItem[]> {
  const items: ScheduledItem[] = [];
  let cursor: string | null = null;
  do {
    const page = await backend.list({ state: "scheduled", limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    // A retry that waits for its time is scheduled too, but it has fired.
    for (const { jobId, type, attempt, dueAtMs } of page.jobs)
      if (attempt === 0) items.push({ kind: "job", jobId, type, at: new Date(dueAtMs) });
    cursor = page.cursor;
  } while (cursor !== null);
  return items;
}

async function schedules(backend: Backend): Promise<ScheduledItem[]> {
  return (await backend.schedules.list()).flatMap(({ name, type, cron, timeZone, paused, nextAtMs }) =>
    // A line that never comes true again has fired for the last time.
    nextAtMs === null && !paused
      ? []
      : [{ kind: "schedule", name, type, cron, timeZone, paused, at: dateOrNull(nextAtMs) }],
  );
}
