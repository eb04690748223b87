// A durable sleep that survives kill -9: the worker dies in the middle, another goes on. Run it: node examples/killed-worker.ts
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { defineDurableJob, openWindlass } from "windlass";
import { z } from "zod";

const reminder = defineDurableJob({
  name: "app.reminder",
  input: z.strictObject({ about: z.string() }),
  result: z.string(),
  async run({ about }, ctx) {
    const noted = await ctx.step("note", () => {
      console.log(`  noted: ${about}`);
      return { about, at: Date.now() };
    });
    // Measured once, in the database: it goes on while no worker lives.
    await ctx.sleep("2s");
    await ctx.step("remind", () => console.log(`  reminded: ${noted.about}`));
    return Date.now() - noted.at >= 2_000 ? "not a moment early" : "too early";
  },
});

const db = process.argv[2] ?? join(mkdtempSync(join(tmpdir(), "killed-")), "windlass.db");
await using windlass = await openWindlass({ db, jobs: [reminder] });
if (process.argv[2] === undefined) await main();
else await (await windlass.startWorker()).stopped;

/** This file once more, as a worker in a process of its own. */
function worker(): ChildProcess {
  return spawn(process.execPath, [import.meta.filename, db], { stdio: "inherit" });
}

async function main(): Promise<void> {
  const { jobId } = await windlass.submit(reminder, { about: "water the plants" });
  const first = worker();
  while ((await windlass.status(jobId))?.state !== "waiting") await pause(20);
  console.log("it sleeps; kill -9 of its worker");
  first.kill("SIGKILL");
  await once(first, "exit");

  const second = worker();
  const { state, attempt, result } = await windlass.wait(jobId);
  console.log(`${state} in attempt ${attempt}: ${result}`);
  second.kill("SIGTERM");
}
