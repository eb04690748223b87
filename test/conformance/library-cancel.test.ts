import { expect } from "vitest";
import { z } from "zod";
import { defineDurableJob, defineJob } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

const holds = defineJob({
  name: "app.holds",
  input: z.strictObject({}),
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
});
const quick = defineJob({ name: "app.quick", input: z.strictObject({}), run: () => "done" });
const waits = defineDurableJob({
  name: "app.waits",
  input: z.strictObject({}),
  run: (_, ctx) => ctx.waitFor("never"),
});
const jobs = [holds, quick, waits];

libraryConformance("library: cancel", (test) => {
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

  test("a finished job stays what it is, and says so", async ({ open }) => {
    const client = await open({ jobs });
    await client.startWorker();
    const { jobId } = await client.submit(quick, {});
    const before = await client.wait(jobId);
    for (const _ of [1, 2])
      expect(await client.cancel(jobId)).toEqual({ kind: "job", jobId, outcome: "finished", state: "completed" });
    expect(await client.status(jobId)).toEqual(before);
  });

  test("a durable job that waits is cancelled at once", async ({ open }) => {
    const client = await open({ jobs });
    await client.startWorker();
    const { jobId } = await client.submit(waits, {});
    await expect.poll(async () => (await client.status(jobId))?.state, { timeout: 15_000 }).toBe("waiting");
    expect(await client.cancel(jobId)).toMatchObject({ kind: "job", outcome: "cancelled" });
    expect((await client.wait(jobId)).state).toBe("cancelled");
  });

  test("a future job that has fired is a job like any other", async ({ open }) => {
    const client = await open({ jobs });
    const after = client.capabilities.subSecond ? "5ms" : "1s";
    const { jobId } = await client.schedule(quick, {}, { after });
    await client.startWorker();
    await client.wait(jobId);
    expect(await client.cancel(jobId)).toEqual({ kind: "job", jobId, outcome: "finished", state: "completed" });
  });

  test("a schedule that was cancelled is gone: a second time there is none", async ({ open }) => {
    const client = await open({ jobs });
    await client.schedule(quick, {}, { cron: "0 0 * * *", name: "nightly" });
    await client.cancel("nightly");
    await expect(client.cancel("nightly")).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
    expect((await client.schedule(quick, {}, { cron: "0 0 * * *", name: "nightly" })).change).toBe("created");
  });

  test("a job that waits for its next attempt is no future job", async ({ open }) => {
    const fails = defineJob({
      name: "app.fails",
      input: z.strictObject({}),
      backoff: { first: "1h" },
      run: () => Promise.reject(new Error("not now")),
    });
    const client = await open({ jobs: [fails] });
    const failed = Promise.withResolvers<void>();
    await client.startWorker({ onEvent: ({ kind }) => kind === "failed" && failed.resolve() });
    const { jobId } = await client.submit(fails, {});
    await failed.promise;
    expect(await client.cancel(jobId)).toMatchObject({ kind: "job", outcome: "cancelled" });
  });
});
