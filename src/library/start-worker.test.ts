import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { z } from "zod";
import { test } from "../../test/support/library.ts";
import { defineJob, type WorkerEvent } from "../index.ts";

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
