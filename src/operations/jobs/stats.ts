import { z } from "zod";
import { EventCounts, eventCounts, WaitingCounts, waitingCounts } from "../../doctor/waiting-shape.ts";
import { JobState } from "../../job/state.ts";
import type { Pairs } from "../../logfmt.ts";
import { defineOperation } from "../operation.ts";

/** Counts jobs. */
export const jobStats = defineOperation({
  name: "jobs.stats",
  summary: "Count jobs by type and state.",
  description: "Durable jobs that wait are counted by what they wait for.",
  access: "read",
  input: z.strictObject({}),
  output: z.strictObject({
    counts: z.array(z.strictObject({ type: z.string(), state: JobState, count: z.int() })),
    oldest_queued_ms: z.int().nullable().describe("How long the oldest due job has waited."),
    waiting: WaitingCounts,
    events: EventCounts,
  }),
  errors: [],
  database: "read",
  lines: ({ counts, oldest_queued_ms, waiting, events }) => [
    ...counts,
    ...(oldest_queued_ms === null ? [] : [{ oldest_queued_ms }]),
    ...(waiting.jobs === 0 ? [] : [prefixed("waiting", waiting)]),
    ...(events.kept === 0 ? [] : [prefixed("events", events)]),
  ],
  async run(_, { windlass: { backend }, clock }) {
    const { counts, oldestQueuedMs, waiting } = await backend.stats();
    const now = clock.now();
    return {
      counts: [...counts],
      oldest_queued_ms: oldestQueuedMs === null ? null : Math.max(0, now - oldestQueuedMs),
      waiting: waitingCounts(waiting, now),
      events: eventCounts(waiting, now),
    };
  },
});

/** On a line of its own each number says what it counts. */
function prefixed(prefix: string, numbers: Pairs): Pairs {
  const known = Object.entries(numbers).filter(([, value]) => value !== null);
  return Object.fromEntries(known.map(([name, value]) => [`${prefix}_${name}`, value]));
}
