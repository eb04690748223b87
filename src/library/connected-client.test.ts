import { describe, expect } from "vitest";
import { z } from "zod";
import { test } from "../../test/support/library.ts";
import { defineJob, exec, type WindlassClient } from "../index.ts";

const waits = defineJob({
  name: "app.waits",
  input: z.strictObject({ until: z.enum(["stopped", "released"]) }),
  run: async ({ until }, { signal }) => {
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await (until === "stopped" ? stopped : released.promise);
    if (signal.aborted) throw signal.reason;
    return "done";
  },
});
let released = Promise.withResolvers<void>();

/** A client with a worker that has begun a job. */
async function busy(
  open: (options: object) => Promise<WindlassClient>,
  until: "stopped" | "released",
): Promise<{ client: WindlassClient; jobId: string }> {
  released = Promise.withResolvers<void>();
  const client = await open({ jobs: [waits] });
  const claimed = Promise.withResolvers<void>();
  await client.startWorker({ onEvent: ({ kind }) => kind === "claimed" && claimed.resolve() });
  const { jobId } = await client.submit(waits, { until });
  await claimed.promise;
  return { client, jobId };
}

describe("close", () => {
  test("may be called twice and by `await using`", async ({ open }) => {
    const client = await open();
    await Promise.all([client.close(), client.close()]);
    await client.close({ grace: "1s" });
    await client[Symbol.asyncDispose]();
    {
      await using other = await open();
      await other.submit(exec, { argv: ["true"] });
    }
  });

  test("every call after it says that the client is closed", async ({ open }) => {
    const client = await open();
    const { jobId } = await client.submit(exec, { argv: ["true"] });
    await client.close();
    const input = { argv: ["true"] };
    const calls: Readonly<Record<string, () => unknown>> = {
      submit: () => client.submit(exec, input),
      submitMany: () => client.submitMany([]),
      runAndWait: () => client.runAndWait(exec, input),
      wait: () => client.wait(jobId),
      schedule: () => client.schedule(exec, input, { after: "1m" }),
      scheduled: () => client.scheduled(),
      cancel: () => client.cancel(jobId),
      status: () => client.status(jobId),
      list: () => client.list(),
      emit: () => client.emit("x", {}),
      approvals: () => client.approvals(),
      startWorker: () => client.startWorker(),
      enqueueWith: () => client.embedded?.enqueueWith(() => 1),
    };
    for (const [name, call] of Object.entries(calls))
      await expect(call(), name).rejects.toMatchObject({
        code: "CLIENT_CLOSED",
        message: `${name}: this client was closed; open a new one with openWindlass`,
      });
  });

  test("ends the waits of the client", async ({ open }) => {
    const client = await open();
    const { jobId } = await client.submit(exec, { argv: ["true"] });
    const waiting = expect(client.wait(jobId, { wait: "1h" })).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
    await client.close();
    await waiting;
  });

  test("keeps what was submitted at the same moment", async ({ open }) => {
    const client = await open();
    const submitting = client.submit(exec, { argv: ["true"] });
    const { jobId } = await submitting;
    await client.close();
    expect((await (await open()).status(jobId))?.state).toBe("queued");
  });

  test("lets a running job finish", async ({ open }) => {
    const { client, jobId } = await busy(open, "released");
    const closing = client.close();
    released.resolve();
    await closing;
    expect(await (await open()).status(jobId)).toMatchObject({ state: "completed", result: "done" });
  });

  test("gives a running job back when its grace is over, without a failure", async ({ open }) => {
    const { client, jobId } = await busy(open, "stopped");
    await client.close({ grace: 0 });
    expect(await (await open()).status(jobId)).toMatchObject({ state: "queued", failures: 0, crashes: 0 });
  });

  test("a second call may be in more of a hurry", async ({ open }) => {
    const { client, jobId } = await busy(open, "stopped");
    const closing = client.close({ grace: "1h" });
    await client.close({ grace: "1ms" });
    await closing;
    expect((await (await open()).status(jobId))?.state).toBe("queued");
  });

  test("refuses a grace that is no duration, and stays open", async ({ open }) => {
    const client = await open();
    for (const grace of [-1, Number.NaN, "soon"])
      await expect(client.close({ grace })).rejects.toMatchObject({ code: "INVALID_DURATION" });
    expect((await client.list()).jobs).toEqual([]);
  });

  test("a worker that starts while the client closes does not stay", async ({ open }) => {
    const client = await open();
    const starting = client.startWorker().catch((error: unknown) => error);
    await client.close();
    expect(await starting).toMatchObject({ code: expect.stringMatching(/CLIENT_CLOSED|DATABASE_UNWRITABLE/) });
  });
});
