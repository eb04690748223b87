import { expect } from "vitest";
import { z } from "zod";
import { defineJob, exec, secretText } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

const mail = defineJob({
  name: "app.send-mail",
  input: z.strictObject({ to: z.string(), copies: z.int().min(1).default(1) }),
  run: () => ({}),
});
const jobs = [mail];

libraryConformance("library: submit", (test) => {
  test("stores a job and answers with its id", async ({ open }) => {
    const client = await open({ jobs });
    const before = Date.now();
    const job = await client.submit(mail, { to: "a@example.com" }, { metadata: { team: "x" }, traceId: "t-1" });
    expect(job).toMatchObject({ state: "queued", traceId: "t-1", existing: false });
    expect(job.queuedAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(await client.status(job.jobId)).toMatchObject({
      jobId: job.jobId,
      type: "app.send-mail",
      state: "queued",
      attempt: 0,
      metadata: { team: "x" },
      input: { to: "a@example.com" },
      queuedAt: job.queuedAt,
      startedAt: null,
      endedAt: null,
      result: null,
      error: null,
    });
  });

  test("takes a type by its name as well", async ({ open }) => {
    const client = await open({ jobs });
    const { jobId } = await client.submit("app.send-mail", { to: "a" });
    expect((await client.status(jobId))?.type).toBe("app.send-mail");
  });

  test("a type that only a worker has loaded is checked against what it published", async ({ open }) => {
    const worker = await open({ jobs });
    await worker.startWorker();
    const client = await open();
    await expect(client.submit("app.send-mail", { to: 5 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    const { jobId } = await client.submit("app.send-mail", { to: "a" });
    expect((await client.wait(jobId)).state).toBe("completed");
  });

  test("the same key gives the first job back, unless a fresh one is asked for", async ({ open }) => {
    const client = await open({ jobs });
    const first = await client.submit(mail, { to: "a" }, { idempotencyKey: "k" });
    const second = await client.submit(mail, { to: "a" }, { idempotencyKey: "k" });
    expect(second).toMatchObject({ jobId: first.jobId, existing: true });
    const fresh = await client.submit(mail, { to: "a" }, { idempotencyKey: "k", fresh: true });
    expect(fresh.jobId).not.toBe(first.jobId);
  });

  test("a secret is stored by its name", async ({ open }) => {
    const notify = defineJob({
      name: "app.notify",
      input: z.strictObject({ token: secretText(), text: z.string() }),
      secrets: ["CHAT_TOKEN"],
      run: () => ({}),
    });
    const client = await open({ jobs: [notify] });
    const { jobId } = await client.submit(notify, { token: { $secret: "CHAT_TOKEN" }, text: "hi" });
    expect((await client.status(jobId))?.input).toEqual({ token: { $secret: "CHAT_TOKEN" }, text: "hi" });
  });
});

libraryConformance("library: submitMany", (test) => {
  test("stores all in their order", async ({ open }) => {
    const client = await open({ jobs });
    const accepted = await client.submitMany([
      { type: mail, input: { to: "a" } },
      { type: exec, input: { argv: ["true"] }, options: { priority: 3 } },
      { type: "app.send-mail", input: { to: "b" } },
    ]);
    const statuses = await Promise.all(accepted.map(({ jobId }) => client.status(jobId)));
    expect(statuses.map((status) => [status?.type, status?.priority])).toEqual([
      ["app.send-mail", 2],
      ["exec", 3],
      ["app.send-mail", 2],
    ]);
  });

  test("takes no job at all", async ({ open }) => {
    const client = await open({ jobs });
    expect(await client.submitMany([])).toEqual([]);
  });

  test("takes a list that is made of rows", async ({ open }) => {
    const client = await open({ jobs });
    const rows = Array.from({ length: 50 }, (_, index) => ({ type: mail, input: { to: `${index}` } }));
    expect(new Set((await client.submitMany(rows)).map(({ jobId }) => jobId)).size).toBe(50);
  });
});
