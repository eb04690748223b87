import { z } from "zod";
import type { WaitingStats } from "../backend/reading.ts";

const Count = z.int();
const Ms = z.number().nullable();

/** Durable jobs that wait. Snake_case, because it crosses a border as it is; times in milliseconds. */
export const WaitingCounts = z
  .strictObject({
    jobs: Count,
    sleep: Count,
    event: Count,
    child: Count,
    approval: Count,
    oldest_ms: Ms.describe("How long the oldest of them waits."),
    overdue: Count.describe("Waits whose time has come and that no worker has ended."),
    overdue_ms: Ms.describe("Since when the first of those is due."),
  })
  .describe("Jobs that wait, and their open calls by what they wait for; a job may have several.");

/** Events that are kept for those who look for them later. */
export const EventCounts = z.strictObject({
  kept: Count,
  open: Count.describe("Being given to the many who wait for them."),
  oldest_ms: Ms,
});

/** {@link WaitingCounts} as a type. */
export type WaitingCounts = z.output<typeof WaitingCounts>;

/** What waits as it crosses a border. */
export function waitingCounts({ jobs, waits, oldestMs, overdue, overdueSinceMs }: WaitingStats, nowMs: number) {
  return {
    jobs,
    ...waits,
    oldest_ms: ageOf(oldestMs, nowMs),
    overdue,
    overdue_ms: ageOf(overdueSinceMs, nowMs),
  } satisfies WaitingCounts;
}

/** The events as they cross a border. */
export function eventCounts({ events, eventsOpen, oldestEventMs }: WaitingStats, nowMs: number) {
  return { kept: events, open: eventsOpen, oldest_ms: ageOf(oldestEventMs, nowMs) } satisfies z.output<
    typeof EventCounts
  >;
}

function ageOf(sinceMs: number | null, nowMs: number): number | null {
  return sinceMs === null ? null : Math.max(0, nowMs - sinceMs);
}
