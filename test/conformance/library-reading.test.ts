import { expect } from "vitest";
import { z } from "zod";
import { defineJob, JOB_STATES } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

const holds = defineJob({ name: "app.holds", input: z.strictObject({}) });
const quick = defineJob({ name: "app.quick", input: z.strictObject({}), run: () => "done" });

libraryConformance("library: list and status", (test) => {
  test("lists by state, type, metadata and time, a page at a time", async ({ open }) => {
    const other = defineJob({ name: "app.other", input: z.strictObject({}) });
    const client = await open({ jobs: [holds, other] });
    const before = new Date();
    const ids: string[] = [];
    for (let index = 0; index < 5; index++)
      ids.push((await client.submit(holds, {}, { metadata: { n: `${index % 2}` } })).jobId);
    const cancelled = ids[0] ?? "";
    await client.cancel(cancelled);
    await client.submit(other, {});
    const listed = async (filter: Parameters<typeof client.list>[0]): Promise<readonly string[]> =>
      (await client.list(filter)).jobs.map(({ jobId }) => jobId);
    expect(await listed({ type: holds })).toEqual(ids.toReversed());
    expect(await listed({ type: "app.holds", state: "cancelled" })).toEqual([cancelled]);
    expect(await listed({ metadata: { n: "1" } })).toEqual([ids[3], ids[1]]);
    expect(await listed({ since: before })).toHaveLength(6);
    expect(await listed({ since: new Date(Date.now() + 60_000) })).toEqual([]);
    const first = await client.list({ limit: 4 });
    expect(first.jobs[0]?.queuedAt).toBeInstanceOf(Date);
    const second = await client.list({ limit: 4, cursor: first.cursor ?? "" });
    expect(second.cursor).toBeNull();
    expect(new Set([...first.jobs, ...second.jobs].map(({ jobId }) => jobId)).size).toBe(6);
  });

  test("an id that there is not has no status", async ({ open }) => {
    const client = await open();
    expect(await client.status("nothing")).toBeUndefined();
    expect(await client.status("01933b5e-7c00-7000-8000-0123456789ab")).toBeUndefined();
  });

  test("a line of a list has the state in lower case, the times and the attempt, as the status has", async ({
    open,
  }) => {
    const client = await open({ jobs: [holds, quick] });
    const future = await client.schedule(quick, {}, { after: "1h" });
    const done = await client.submit(quick, {});
    await client.startWorker();
    await client.wait(done.jobId);
    const { jobs } = await client.list();
    expect(jobs.map(({ jobId }) => jobId)).toEqual([done.jobId, future.jobId]);
    expect(jobs).toMatchObject([
      { state: "completed", attempt: 1, startedAt: expect.any(Date), endedAt: expect.any(Date) },
      { state: "scheduled", attempt: 0, startedAt: null, endedAt: null, dueAt: future.at },
    ]);
    for (const line of jobs) expect(await client.status(line.jobId)).toMatchObject(line);
    expect(JOB_STATES.every((state) => state === state.toLowerCase())).toBe(true);
  });
});
