// A schedule: what it will do, a run of it now, and its end. Run it: node examples/cron.ts
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineJob, openWindlass } from "windlass";
import { z } from "zod";

const report = defineJob({
  name: "shop.report",
  input: z.strictObject({ of: z.string() }),
  result: z.string(),
  run: ({ of }) => `report of ${of}: all well`,
});

const db = join(mkdtempSync(join(tmpdir(), "cron-")), "windlass.db");
await using windlass = await openWindlass({ db, jobs: [report] });

// A wrong line is refused before anything is stored.
await windlass.schedule(report, { of: "sales" }, { cron: "0 25 * * *" }).catch(({ message }) => console.log(message));

// Saying the same again changes nothing, so a program may say it at every start.
for (const _ of ["first start", "second start"]) {
  const { name, change } = await windlass.schedule(
    report,
    { of: "sales" },
    { cron: "30 2 * * 1-5", timeZone: "Europe/Berlin", name: "nightly-sales" },
  );
  console.log(`${name}: ${change}`);
}
for (const item of await windlass.scheduled()) {
  const hour = item.at?.toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin", timeStyle: "short" });
  console.log(`to come: ${item.type} at ${hour} in Berlin`);
}

// Nobody waits for half past two here: the program makes a job of it at once.
await windlass.startWorker();
const program = fileURLToPath(new URL("bin.js", import.meta.resolve("windlass")));
execFileSync(process.execPath, [program, "--db", db, "schedules", "trigger", "nightly-sales"]);
const [job] = (await windlass.list({ type: report })).jobs;
if (job === undefined) throw new Error("the schedule made no job");
console.log((await windlass.wait(job.jobId)).result);

console.log(
  `cancel: ${(await windlass.cancel("nightly-sales")).outcome}, to come: ${(await windlass.scheduled()).length}`,
);
