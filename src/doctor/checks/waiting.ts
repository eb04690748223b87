import { readWaitingStats } from "../../backend/embedded/reading/waiting-stats.ts";
import { formatDuration } from "../../duration.ts";
import type { OpenContext } from "../check.ts";
import { knownWorkers } from "../known-workers.ts";
import { type Finding, ok, sayCount, warn } from "../model/finding.ts";
import { eventCounts, type WaitingCounts, waitingCounts } from "../waiting-shape.ts";

/** A live worker ends a wait within milliseconds, and at its next tick (10 s at the most) what another process stored. */
const LATE_MS = 15_000;

/** Jobs that wait, for time, events, children or people, and whether somebody wakes them. */
export function waitingJobs({ db, clock }: OpenContext): Finding {
  const stats = readWaitingStats(db, clock.now());
  const waiting = waitingCounts(stats, clock.now());
  const events = eventCounts(stats, clock.now());
  const facts = { ...waiting, events_kept: events.kept, events_open: events.open, oldest_event_ms: events.oldest_ms };
  const kept = `${sayCount(events.kept, "event")} kept`;
  if (waiting.overdue_ms !== null && waiting.overdue_ms > LATE_MS)
    return warn(
      `${sayCount(waiting.overdue, "wait")} should be over, the first for ${sayAge(waiting.overdue_ms)}, and no worker has ended ${waiting.overdue === 1 ? "it" : "them"}`,
      isServed(db)
        ? "a worker runs and does not do it: look at its log, and start another one"
        : "start `windlass worker`",
      facts,
    );
  if (waiting.jobs === 0) return ok(`no job waits; ${kept}`, facts);
  const oldest = waiting.oldest_ms === null ? "" : `, the oldest for ${sayAge(waiting.oldest_ms)}`;
  return ok(`${sayCount(waiting.jobs, "job")} waiting${oldest}: ${sayWaits(waiting)}; ${kept}`, facts);
}

function isServed(db: OpenContext["db"]): boolean {
  return knownWorkers(db).some(({ alive, types }) => alive && types.length > 0);
}

function sayWaits({ sleep, event, child, approval }: WaitingCounts): string {
  const parts = [
    [sleep, "for a time"],
    [event, "for an event"],
    [child, "for a child"],
    [approval, "for an approval"],
  ] as const;
  return parts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])).join(", ");
}

function sayAge(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000);
}
