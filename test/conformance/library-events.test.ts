import { expect } from "vitest";
import { z } from "zod";
import { defineDurableJob } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

const paid = defineDurableJob({
  name: "app.paid",
  input: z.strictObject({ order: z.int() }),
  result: z.strictObject({ by: z.string() }),
  run: ({ order }, ctx) => ctx.waitFor("paid", { match: { order }, schema: z.object({ by: z.string() }) }),
});

libraryConformance("library: durable jobs through the library", (test) => {
  test("runAndWait waits without limit, and emit lets the job go on", async ({ open }) => {
    const client = await open({ jobs: [paid] });
    await client.startWorker();
    const { jobId } = await client.submit(paid, { order: 7 });
    const waiting = client.wait(jobId);
    await expect.poll(async () => (await client.status(jobId))?.state, { timeout: 15_000 }).toBe("waiting");
    expect(await client.emit("paid", { order: 7, by: "ada" }, { eventId: "e-1" })).toEqual({
      eventId: "e-1",
      existing: false,
      given: 1,
    });
    expect(await client.emit("paid", { order: 7, by: "bob" }, { eventId: "e-1" })).toMatchObject({ existing: true });
    expect((await waiting).result).toEqual({ by: "ada" });
  });

  test("an event without an id gets one", async ({ open }) => {
    const client = await open();
    expect((await client.emit("x", null)).eventId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("a durable type may be given to schedule, list and cancel as any other", async ({ open }) => {
    const client = await open({ jobs: [paid] });
    const { jobId } = await client.schedule(paid, { order: 1 }, { after: "1h" });
    expect((await client.list({ type: paid })).jobs.map((job) => job.jobId)).toEqual([jobId]);
    await client.cancel(jobId);
    expect((await client.status(jobId))?.state).toBe("cancelled");
  });
});
