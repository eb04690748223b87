import { describe, expect } from "vitest";
import { z } from "zod";
import { test } from "../../test/support/library.ts";
import { defineJob } from "../index.ts";

const holds = defineJob({
  name: "app.holds",
  input: z.strictObject({}),
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
});
const jobs = [holds];

describe("cancel", () => {
  test("a waiting job is cancelled at once", async ({ open }) => {
    const client = await open({ jobs });
    const { jobId } = await client.submit(holds, {});
    expect(await client.cancel(jobId)).toEqual({ kind: "job", jobId, outcome: "cancelled", state: "cancelled" });
    expect((await client.status(jobId))?.state).toBe("cancelled");
  });

  test("a running job is asked to stop", async ({ open }) => {
    const client = await open({ jobs });
    const { jobId } = await client.submit(holds, {});
    let onClaim: () => void = () => undefined;
    const claimed = new Promise<void>((resolve) => {
      onClaim = resolve;
    });
    await client.startWorker({ onEvent: ({ kind }) => kind === "claimed" && onClaim() });
    await claimed;
    expect(await client.cancel(jobId)).toEqual({ kind: "job", jobId, outcome: "requested", state: "running" });
    expect((await client.wait(jobId)).state).toBe("cancelled");
    expect(await client.cancel(jobId)).toEqual({ kind: "job", jobId, outcome: "finished", state: "cancelled" });
  });

  test("a future job says that it was one", async ({ open }) => {
    const client = await open({ jobs });
    const { jobId } = await client.schedule(holds, {}, { after: "1h" });
    expect(await client.cancel(jobId)).toMatchObject({ kind: "future_job", outcome: "cancelled" });
    expect(await client.scheduled()).toEqual([]);
  });

  test("a schedule is cancelled by its name; its jobs stay", async ({ open }) => {
    const client = await open({ jobs });
    await client.schedule(holds, {}, { cron: "0 0 * * *", name: "nightly" });
    await client.submit(holds, {});
    expect(await client.cancel("nightly")).toEqual({ kind: "schedule", name: "nightly", outcome: "cancelled" });
    expect(await client.scheduled()).toEqual([]);
    expect((await client.list()).jobs).toHaveLength(1);
  });

  test("what is neither is refused, with the nearest schedule", async ({ open }) => {
    const client = await open({ jobs });
    await client.schedule(holds, {}, { cron: "0 0 * * *", name: "nightly" });
    await expect(client.cancel("nigthly")).rejects.toMatchObject({
      code: "JOB_NOT_FOUND",
      message: expect.stringContaining("nightly?"),
    });
    await expect(client.cancel("01933b5e-7c00-7000-8000-0123456789ab")).rejects.toMatchObject({
      code: "JOB_NOT_FOUND",
    });
    await expect(client.cancel(5 as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("list and status", () => {
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

  test("a wrong filter is refused", async ({ open }) => {
    const client = await open({ jobs });
    const wrong: readonly object[] = [
      { limit: 0 },
      { limit: 1_001 },
      { state: "done" },
      { since: "today" },
      { since: new Date(Number.NaN) },
      { cursor: "x" },
      { sort: "asc" },
    ];
    for (const filter of wrong) await expect(client.list(filter)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("an id that there is not has no status", async ({ open }) => {
    const client = await open();
    expect(await client.status("nothing")).toBeUndefined();
    expect(await client.status("01933b5e-7c00-7000-8000-0123456789ab")).toBeUndefined();
  });

  test("approvals say plainly that they are not there yet", async ({ open }) => {
    const client = await open();
    await expect(client.approvals()).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});
