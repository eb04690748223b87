import { expect } from "vitest";
import { z } from "zod";
import { AppError, defineJob, exec, isAppError } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

const Input = z.strictObject({ n: z.number() });
const square = defineJob({
  name: "app.square",
  input: Input,
  result: z.strictObject({ n: z.number(), at: z.coerce.date() }),
  run: ({ n }) => ({ n: n * n, at: new Date(0) }),
});
const fails = defineJob({
  name: "app.fails",
  input: z.strictObject({ how: z.enum(["plain", "coded"]) }),
  retries: 0,
  run: ({ how }) => {
    if (how === "plain") throw new Error("the printer is on fire");
    throw new AppError("HOST_UNREACHABLE", "printer.example does not answer", { details: { port: 631 } });
  },
});
const holds = defineJob({
  name: "app.holds",
  input: z.strictObject({}),
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
});

libraryConformance("library: runAndWait", (test) => {
  test("gives the result as the type's schema reads it", async ({ open }) => {
    const client = await open({ jobs: [square] });
    await client.startWorker();
    const { n, at } = await client.runAndWait(square, { n: 7 });
    expect(n).toBe(49);
    expect(at).toEqual(new Date(0));
    expect(await client.runAndWait("app.square", { n: 3 })).toMatchObject({ n: 9 });
  });

  test("throws the job's own error", async ({ open }) => {
    const client = await open({ jobs: [fails] });
    await client.startWorker();
    const coded = await client.runAndWait(fails, { how: "coded" }).catch((error: unknown) => error);
    expect(isAppError(coded)).toBe(true);
    expect(coded).toMatchObject({
      code: "HOST_UNREACHABLE",
      message: "printer.example does not answer",
      details: { port: 631, job_id: expect.any(String) },
    });
    await expect(client.runAndWait(fails, { how: "plain" })).rejects.toMatchObject({
      code: "HANDLER_FAILED",
      message: "the printer is on fire",
    });
    await expect(client.runAndWait(exec, { argv: ["false"] })).rejects.toMatchObject({
      code: "EXIT_NONZERO",
      details: { exit_code: 1 },
    });
  });

  test("says that the job was cancelled, expired or ran too long", async ({ open }) => {
    const client = await open({ jobs: [holds] });
    await client.startWorker();
    const nowhere = { site: "nowhere" };
    await expect(client.runAndWait(holds, {}, { expiresIn: "1ms", requires: nowhere })).rejects.toMatchObject({
      code: "EXPIRED",
    });
    await expect(client.runAndWait(holds, {}, { timeout: "20ms", retries: 0 })).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    // The same key: the same job, whoever asks first.
    const { jobId } = await client.submit(holds, {}, { idempotencyKey: "k" });
    const running = client.runAndWait(holds, {}, { idempotencyKey: "k" });
    await client.cancel(jobId);
    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
  });

  test("a wait that ends says what the job waits for; the job goes on", async ({ open }) => {
    const client = await open({ jobs: [square] });
    const error = await client.runAndWait(square, { n: 1 }, { wait: "10ms" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "WAIT_TIMEOUT",
      message: expect.stringContaining("No worker is running"),
    });
    const jobId = String((error as AppError).details["job_id"]);
    expect((await client.status(jobId))?.state).toBe("queued");
  });

  test("a signal ends the wait with its reason", async ({ open }) => {
    const client = await open({ jobs: [square] });
    const reason = new Error("the page was closed");
    const waiting = client.runAndWait(square, { n: 1 }, { signal: AbortSignal.abort(reason) });
    await expect(waiting).rejects.toBe(reason);
    expect((await client.list()).jobs).toHaveLength(1);
  });

  test("a result that JSON cannot hold fails the job, once", async ({ open }) => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const odd = defineJob({
      name: "app.odd",
      input: z.strictObject({ big: z.boolean() }),
      run: ({ big }) => (big ? { n: 5n } : circle),
    });
    const client = await open({ jobs: [odd] });
    await client.startWorker();
    for (const big of [true, false]) {
      const { jobId } = await client.submit(odd, { big });
      expect(await client.wait(jobId)).toMatchObject({
        state: "failed",
        attempt: 1,
        error: { code: "INVALID_RESULT", message: expect.stringContaining("what JSON cannot hold") },
      });
    }
  });

  test("a result that is not what this process declares is an error", async ({ open }) => {
    const other = await open({ jobs: [defineJob({ name: "app.square", input: Input, run: () => "nine" })] });
    await other.startWorker();
    const client = await open({ jobs: [square] });
    await expect(client.runAndWait(square, { n: 3 })).rejects.toMatchObject({ code: "INVALID_RESULT" });
  });
});

libraryConformance("library: wait", (test) => {
  test("gives the status of a job that has ended, however it ended", async ({ open }) => {
    const client = await open({ jobs: [fails, square] });
    const { jobId } = await client.submit(fails, { how: "coded" });
    await client.startWorker();
    const status = await client.wait(jobId);
    expect(status).toMatchObject({ state: "failed", attempt: 1, failures: 1, error: { code: "HOST_UNREACHABLE" } });
    expect(status.startedAt).toBeInstanceOf(Date);
    expect(status.endedAt).toBeInstanceOf(Date);
    expect(status).not.toHaveProperty("folder");
    const done = await client.submit(square, { n: 2 });
    expect(await client.wait(done.jobId)).toMatchObject({ state: "completed", result: { n: 4 } });
  });
});
