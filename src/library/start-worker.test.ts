import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect } from "vitest";
import { z } from "zod";
import { test } from "../../test/support/library.ts";
import { defineJob, type StartWorkerOptions, type WorkerEvent } from "../index.ts";

const echo = defineJob({ name: "app.echo", input: z.strictObject({ text: z.string() }), run: ({ text }) => text });
const spins = defineJob({
  name: "app.spins",
  input: z.strictObject({ db: z.string() }),
  timeout: { default: "10ms" },
  retries: 0,
  run: ({ db: path }) => {
    // Blocks until the heartbeat thread has noticed; how long that takes depends on the machine.
    using db = new DatabaseSync(path, { readOnly: true });
    const look = db.prepare("SELECT 1 FROM history WHERE event = 'handler.stuck'");
    const end = performance.now() + 20_000;
    while (look.get() === undefined && performance.now() < end);
    return "spun";
  },
});

describe("a worker of an application", () => {
  test("runs jobs and tells each move", async ({ open }) => {
    const client = await open({ jobs: [echo] });
    const events: WorkerEvent[] = [];
    const ended = Promise.withResolvers<void>();
    await using worker = await client.startWorker({
      concurrency: 2,
      onEvent: (event) => {
        events.push(event);
        if (event.kind === "completed") ended.resolve();
      },
    });
    expect(worker.id).toMatch(/^[0-9a-f-]{36}$/);
    const { jobId, traceId } = await client.submit(echo, { text: "a" });
    await ended.promise;
    expect(events).toMatchObject([
      { kind: "claimed", jobId, type: "app.echo", traceId, attempt: 1, final: false },
      { kind: "completed", jobId, attempt: 1, final: true },
    ]);
  });

  test("stops once, whoever asks, and leaves the client open", async ({ open }) => {
    const client = await open({ jobs: [echo] });
    const worker = await client.startWorker();
    await Promise.all([worker.stop(), worker.stop({ grace: "1s" }), worker[Symbol.asyncDispose]()]);
    await worker.stopped;
    const { jobId } = await client.submit(echo, { text: "a" });
    expect((await client.status(jobId))?.state).toBe("queued");
    await expect(worker.stop({ grace: "soon" })).rejects.toMatchObject({ code: "INVALID_DURATION" });
  });

  test("takes only jobs whose labels it has", async ({ open }) => {
    const client = await open({ jobs: [echo] });
    const other = await client.startWorker({ labels: { site: "lab2" } });
    const { jobId } = await client.submit(echo, { text: "a" }, { requires: { site: "lab1" } });
    await expect(client.wait(jobId, { wait: "60ms" })).rejects.toMatchObject({
      code: "WAIT_TIMEOUT",
      message: expect.stringContaining("site=lab1"),
    });
    await other.stop();
    await client.startWorker({ labels: { site: "lab1" } });
    expect((await client.wait(jobId)).state).toBe("completed");
  });

  test("a listener that throws stops nothing", async ({ open }) => {
    const client = await open({ jobs: [echo] });
    const warned = once(process, "warning");
    await client.startWorker({
      onEvent: () => {
        throw new Error("my listener is broken");
      },
    });
    expect(await client.runAndWait(echo, { text: "a" })).toBe("a");
    expect((await warned)[0]).toMatchObject({ message: "my listener is broken" });
  });

  test("reports a handler that blocks the process, and goes on", async ({ open, db }) => {
    const client = await open({ jobs: [spins] });
    const problem = Promise.withResolvers<WorkerEvent>();
    await client.startWorker({ onEvent: (event) => event.kind === "problem" && problem.resolve(event) });
    const { jobId } = await client.submit(spins, { db });
    expect((await client.wait(jobId)).endedAt).not.toBeNull();
    expect(await problem.promise).toMatchObject({
      error: { code: "TIMEOUT", message: expect.stringContaining(jobId) },
    });
  });

  test("refuses wrong options", async ({ open }) => {
    const client = await open();
    const wrong: readonly (readonly [object, string])[] = [
      [{ concurrency: 0 }, "concurrency is 0"],
      [{ concurrency: 101 }, "concurrency is 101"],
      [{ concurrency: 1.5 }, "concurrency is 1.5"],
      [{ onStuck: "die" }, "onStuck"],
      [{ labels: { site: 1 } }, "label site"],
      [{ concurency: 1 }, "did you mean concurrency?"],
    ];
    for (const [options, words] of wrong)
      await expect(client.startWorker(options as StartWorkerOptions)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: expect.stringContaining(words),
      });
  });

  test("keeps its process alive until it is stopped, and not longer", async ({ folder }) => {
    const index = new URL("../index.ts", import.meta.url).href;
    const program = `
      import { openWindlass } from ${JSON.stringify(index)};
      const windlass = await openWindlass({ db: ${JSON.stringify(join(folder, "own.db"))} });
      const worker = await windlass.startWorker();
      process.once("beforeExit", () => console.log("nothing held it"));
      process.once("message", async () => {
        process.disconnect();
        await worker.stop();
        console.log("stopped");
      });
      process.channel.unref();
      console.log("ready");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      // Had nothing held the process, it would have come to its end within this turn.
      if (output === "ready\n") setImmediate(() => child.send("stop", () => undefined));
    });
    await once(child, "exit");
    expect(output).toBe("ready\nstopped\nnothing held it\n");
  });
});
