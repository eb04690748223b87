import { expect } from "vitest";
import { fireSchedules } from "../../src/backend/schedule-runner.ts";
import type { ScheduleSpec } from "../../src/backend/schedules.ts";
import { nextInstant, parseCron } from "../../src/schedule/cron.ts";
import { TestClock } from "./clock.ts";
import { type Bench, type BenchOptions, type Open, TESTER } from "./test.ts";

export const MINUTE_MS = 60_000;

/** A schedule that makes a job each minute. */
export const everyMinute: ScheduleSpec = {
  name: "tick",
  cron: "* * * * *",
  timeZone: "UTC",
  type: "app.work",
  input: { name: "scheduled" },
  options: {},
  overlap: "skip",
  catchUp: "once",
};

/** A fresh bench whose time is moved by hand. @param nowMs where its time begins; default: some noon. */
export async function timed(open: Open, options: BenchOptions = {}, nowMs?: number) {
  const clock = new TestClock(nowMs);
  const bench = await open({ types: [{ name: "app.work", retries: 0 }], ...options, clock });
  return { bench, clock };
}

/** Stores {@link everyMinute}, or what differs from it; says what came of it. */
export async function schedule(bench: Bench, more: Partial<ScheduleSpec> = {}, replace = false): Promise<string> {
  const spec = { ...everyMinute, ...more };
  const firstAtMs = nextInstant(parseCron(spec.cron, spec.timeZone), bench.windlass.clock.now()) ?? 0;
  return bench.backend.schedules.put(spec, TESTER, { replace, firstAtMs });
}

/** All jobs, in the order in which they were made. */
export async function jobs(bench: Bench): Promise<readonly { jobId: string; state: string }[]> {
  return (await bench.backend.list({ limit: 100 })).jobs.toReversed();
}

/** Fires what is due as a scheduler does, beside whatever worker there is. */
export function fire(bench: Bench): Promise<void> {
  return fireSchedules({
    backend: bench.backend,
    submit: bench.windlass.submit,
    clock: bench.windlass.clock,
    graceMs: 21_000,
    onError: (_, error) => expect.fail(String(error)),
  });
}
