import { describe, expect } from "vitest";
import { z } from "zod";
import { test } from "../../test/support/library.ts";
import { defineJob, exec, type SubmitOptions, secretText } from "../index.ts";

const mail = defineJob({
  name: "app.send-mail",
  input: z.strictObject({ to: z.string(), copies: z.int().min(1).default(1) }),
  run: () => ({}),
});
const jobs = [mail];

describe("submit", () => {
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

  test("a wrong input is refused with its field, and nothing is stored", async ({ open }) => {
    const client = await open({ jobs });
    await expect(client.submit("app.send-mail", { to: "a", copies: 0 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("input.copies"),
    });
    expect((await client.list()).jobs).toEqual([]);
  });

  test("an unknown type is refused with the nearest names", async ({ open }) => {
    const client = await open({ jobs });
    await expect(client.submit("app.sendmail", {})).rejects.toMatchObject({
      code: "UNKNOWN_JOB_TYPE",
      message: expect.stringContaining("did you mean app.send-mail?"),
    });
    await expect(client.submit("quite.other", {})).rejects.toMatchObject({ code: "UNKNOWN_JOB_TYPE" });
  });

  test("a type that the client was not opened with is refused, and the message says what to do", async ({ open }) => {
    const client = await open();
    await expect(client.submit(mail, { to: "a" })).rejects.toMatchObject({
      code: "UNKNOWN_JOB_TYPE",
      message: expect.stringContaining("openWindlass({ jobs: [...] })"),
    });
  });

  test("another type of the same name is refused", async ({ open }) => {
    const client = await open({ jobs });
    const twin = defineJob({ name: "app.send-mail", input: z.strictObject({ to: z.int() }) });
    await expect(client.submit(twin, { to: 1 })).rejects.toMatchObject({ code: "INVALID_DEFINITION" });
    const nothing = undefined as unknown as string;
    await expect(client.submit(nothing, {})).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("a type that only a worker has loaded is checked against what it published", async ({ open }) => {
    const worker = await open({ jobs });
    await worker.startWorker();
    const client = await open();
    await expect(client.submit("app.send-mail", { to: 5 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    const { jobId } = await client.submit("app.send-mail", { to: "a" });
    expect((await client.wait(jobId)).state).toBe("completed");
  });

  test("bad delays and options are refused before anything is stored", async ({ open }) => {
    const client = await open({ jobs });
    const refused: readonly (readonly [SubmitOptions, string, string])[] = [
      ...[0, -5, Number.NaN, Number.POSITIVE_INFINITY, 1.5, "soon", "", "0s", "-1m", "400d", "10"].map(
        (delay) => [{ delay }, "INVALID_DURATION", "delay"] as const,
      ),
      [{ expiresIn: 0 }, "INVALID_DURATION", "expires_in"],
      [{ deadline: "x" }, "INVALID_DURATION", "deadline"],
      [{ timeout: "25h" }, "INVALID_DURATION", "timeout"],
      [{ retries: 4 }, "INVALID_INPUT", "retries"],
      [{ priority: 4 } as object, "INVALID_INPUT", "priority"],
      [{ runAt: new Date(Number.NaN) }, "INVALID_INPUT", "run_at"],
      [{ runAt: "tomorrow" } as object, "INVALID_INPUT", "runAt is not a Date"],
      [{ delay: "1m", runAt: new Date() }, "INVALID_INPUT", "delay and run_at"],
      [{ traceId: "a b" }, "INVALID_INPUT", "trace_id"],
      [{ retryOn: "exit" }, "INVALID_INPUT", "retry_on"],
      [{ idempotencykey: "x" } as object, "INVALID_INPUT", "did you mean idempotencyKey?"],
      [{ metadata: { a: 1 } } as object, "INVALID_INPUT", "metadata.a"],
    ];
    for (const [options, code, words] of refused)
      await expect(client.submit(mail, { to: "a" }, options)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(words),
      });
    await expect(client.submit(mail, { to: "a" }, null as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect((await client.list()).jobs).toEqual([]);
  });

  test("the same key gives the first job back; with another input it is a conflict", async ({ open }) => {
    const client = await open({ jobs });
    const first = await client.submit(mail, { to: "a" }, { idempotencyKey: "k" });
    const second = await client.submit(mail, { to: "a" }, { idempotencyKey: "k" });
    expect(second).toMatchObject({ jobId: first.jobId, existing: true });
    await expect(client.submit(mail, { to: "b" }, { idempotencyKey: "k" })).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    const fresh = await client.submit(mail, { to: "a" }, { idempotencyKey: "k", fresh: true });
    expect(fresh.jobId).not.toBe(first.jobId);
  });

  test("a secret is stored by its name, and refused where the type takes none", async ({ open }) => {
    const notify = defineJob({
      name: "app.notify",
      input: z.strictObject({ token: secretText(), text: z.string() }),
      secrets: ["CHAT_TOKEN"],
      run: () => ({}),
    });
    const client = await open({ jobs: [notify] });
    const { jobId } = await client.submit(notify, { token: { $secret: "CHAT_TOKEN" }, text: "hi" });
    expect((await client.status(jobId))?.input).toEqual({ token: { $secret: "CHAT_TOKEN" }, text: "hi" });
    await expect(client.submit(notify, { token: { $secret: "OTHER" }, text: "hi" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("OTHER"),
    });
  });
});

describe("submitMany", () => {
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

  test("stores none when one is wrong", async ({ open }) => {
    const client = await open({ jobs });
    await client.submit(mail, { to: "x" }, { idempotencyKey: "k" });
    const wrong = [
      [{ type: "app.send-mail", input: { to: 1 } }, "INVALID_INPUT"],
      [{ type: "app.send-mial", input: {} }, "UNKNOWN_JOB_TYPE"],
      [{ type: "app.send-mail", input: { to: "y" }, options: { idempotencyKey: "k" } }, "IDEMPOTENCY_CONFLICT"],
    ] as const;
    for (const [request, code] of wrong)
      await expect(client.submitMany([{ type: mail, input: { to: "a" } }, request])).rejects.toMatchObject({ code });
    expect((await client.list()).jobs).toHaveLength(1);
  });

  test("takes no job at all, and refuses what is no list", async ({ open }) => {
    const client = await open({ jobs });
    expect(await client.submitMany([])).toEqual([]);
    await expect(client.submitMany({} as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("takes a list that is made of rows", async ({ open }) => {
    const client = await open({ jobs });
    const rows = Array.from({ length: 50 }, (_, index) => ({ type: mail, input: { to: `${index}` } }));
    expect(new Set((await client.submitMany(rows)).map(({ jobId }) => jobId)).size).toBe(50);
  });
});
