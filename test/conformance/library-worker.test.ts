import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "vitest";
import { z } from "zod";
import { defineJob, type WorkerEvent } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

const echo = defineJob({ name: "app.echo", input: z.strictObject({ text: z.string() }), run: ({ text }) => text });
const index = new URL("../../src/index.ts", import.meta.url).href;

libraryConformance("library: a worker of an application", (test) => {
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

  test("a process that is nothing but a worker may be ended by a handler that blocks it: onStuck kill", async ({
    open,
    sources,
  }) => {
    const spins = { name: "app.spins", timeout: { default: "50ms" }, retries: 0 };
    const client = await open({ jobs: [defineJob({ ...spins, input: z.strictObject({}) })] });
    const { jobId } = await client.submit("app.spins", {});
    const program = `
      import { defineJob, openWindlass } from ${JSON.stringify(index)};
      import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
      const spins = { ...${JSON.stringify(spins)}, input: z.strictObject({}), run: () => { for (;;); } };
      const windlass = await openWindlass({ ...${JSON.stringify(sources)}, jobs: [defineJob(spins)] });
      await windlass.startWorker({ onStuck: "kill" });`;
    // Flags that a thread of this process could not have: its heartbeat is there all the same.
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "ignore", timeout: 20_000 });
    await once(child, "exit");
    expect(await client.wait(jobId)).toMatchObject({ state: "failed", error: { code: "TIMEOUT" }, crashes: 0 });
    expect(child.exitCode).not.toBe(0);
  });

  test("keeps its process alive until it is stopped, and not longer", async ({ sources }) => {
    const program = `
      import { openWindlass } from ${JSON.stringify(index)};
      const windlass = await openWindlass(${JSON.stringify(sources)});
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
