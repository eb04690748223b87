// A job that schedules itself: it looks again a little later, until there is nothing left. Run it: node examples/self-scheduling.ts
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob, isAppError, openWindlass } from "windlass";
import { z } from "zod";

const finished = Promise.withResolvers<void>();

const look = defineJob({
  name: "app.look",
  input: z.strictObject({ mailbox: z.string(), letters: z.int() }),
  run: async ({ mailbox, letters }, ctx) => {
    console.log(`${mailbox}: ${letters} left`);
    if (letters === 0) return finished.resolve();
    // The next link of the chain is a job of its own. An attempt that is tried again gets this one back.
    await ctx.enqueue("app.look", { mailbox, letters: letters - 1 }, { delay: "200ms" });
  },
});

/** A chain that forgot its end: each link starts the next one at once. */
const stopped = Promise.withResolvers<string>();
const loop = defineJob({
  name: "app.loop",
  input: z.strictObject({}),
  run: async (_, ctx) => {
    await ctx.enqueue("app.loop", {}).catch((error: unknown) => {
      stopped.resolve(isAppError(error) ? error.code : String(error));
      throw error;
    });
  },
});

const db = join(mkdtempSync(join(tmpdir(), "self-")), "windlass.db");
await using windlass = await openWindlass({ db, jobs: [look, loop] });
await windlass.startWorker();

await windlass.submit(look, { mailbox: "inbox", letters: 3 }, { traceId: "morning" });
await finished.promise;
for (const { jobId } of (await windlass.list({ type: look })).jobs.toReversed()) {
  const { traceId, parentId } = await windlass.wait(jobId);
  console.log(`trace ${traceId}, ${parentId === null ? "the first" : "made by another"}`);
}

// `job.spawn_rate` stops it after a hundred.
await windlass.submit(loop, {});
console.log(`the loop: ${await stopped.promise}`);
