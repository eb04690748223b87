import { expect } from "vitest";
import type { JobStatus } from "../../src/backend/reading.ts";
import type { Bench } from "./test.ts";

/** Resolves when all jobs have ended, and those that they made; there must then be so many. */
export async function ends(bench: Bench, count: number): Promise<readonly JobStatus[]> {
  for (;;) {
    const { jobs } = await bench.backend.list({ limit: 1_000 });
    const statuses = await Promise.all(jobs.map(({ jobId }) => bench.settled(jobId)));
    // A job that has ended now may have made another one before.
    const { jobs: now } = await bench.backend.list({ limit: 1_000 });
    if (now.length !== jobs.length) continue;
    expect(now.length).toBe(count);
    return statuses;
  }
}
