import { expect } from "vitest";
import { z } from "zod";
import { defineJob, exec, type WindlassClient } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

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

libraryConformance("library: close", (test) => {
  test("may be called twice, twice at once, and by `await using`", async ({ open }) => {
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
      "approvals.list": () => client.approvals.list(),
      "approvals.show": () => client.approvals.show("x"),
      "approvals.statement": () => client.approvals.statement("x", { decision: "approved" }),
      "approvals.decide": () => client.approvals.decide("x", { decision: "approved" }),
      startWorker: () => client.startWorker(),
      ...(client.capabilities.transaction ? { enqueueWith: () => client.embedded?.enqueueWith(() => 1) } : {}),
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

  test("a worker that starts while the client closes does not stay", async ({ open }) => {
    const client = await open();
    const starting = client.startWorker().catch((error: unknown) => error);
    await client.close();
    expect(await starting).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test("during any call: it ends as it would have, or says that the client is closed", async ({ open }) => {
    const client = await open({ jobs: [waits] });
    const { jobId } = await client.submit(waits, { until: "stopped" });
    const input = { until: "stopped" } as const;
    const making = [
      client.submit(waits, input),
      client.submitMany([{ type: waits, input }]).then(([job]) => job),
      client.schedule(waits, input, { after: "1h" }),
    ];
    const others = Promise.allSettled([
      client.schedule(waits, input, { cron: "0 0 * * *" }),
      client.runAndWait(waits, input),
      client.wait(jobId),
      client.scheduled(),
      client.status(jobId),
      client.list(),
      client.emit("x", 1),
      client.cancel(jobId),
      client.startWorker(),
      ...(client.capabilities.transaction ? [client.embedded?.enqueueWith(() => 1)] : []),
    ]);
    await Promise.all([client.close(), client.close(), client[Symbol.asyncDispose]()]);
    const other = await open({ jobs: [waits] });
    for (const job of await Promise.all(making))
      expect(await other.status(job?.jobId ?? "")).toMatchObject({ type: "app.waits" });
    const refused = (await others).flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused.map(({ code }) => code)).toEqual(["CLIENT_CLOSED", "CLIENT_CLOSED", "CLIENT_CLOSED"]);
    expect(await other.cancel("app.waits")).toMatchObject({ kind: "schedule" });
    expect((await other.status(jobId))?.state).toBe("cancelled");
  });
});
