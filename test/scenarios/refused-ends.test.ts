import { expect } from "vitest";
import { z } from "zod";
import { defineJob } from "../../src/job/definition.ts";
import { brokenInvariants } from "../support/invariants.ts";
import { type Bench, EMBEDDED, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);

/** Jobs that return what they were given, all in one turn of the event loop, once so many have begun. */
function endingTogether(count: number) {
  const release = Promise.withResolvers<void>();
  let begun = 0;
  return defineJob({
    name: "app.end",
    input: z.int(),
    result: z.int(),
    run: async (n: number) => {
      if (++begun === count) release.resolve();
      await release.promise;
      return n;
    },
  });
}

/** The database refuses the end that has this result, until what this returns is called. */
async function refuseEnd({ windlass: { embedded } }: Bench, result: number): Promise<() => Promise<void>> {
  await embedded?.enqueueWith((db) =>
    db.run(`CREATE TRIGGER refuse BEFORE INSERT ON done WHEN new.result = '${result}' BEGIN
      SELECT raise(ABORT, 'refused'); END`),
  );
  return async () => void (await embedded?.enqueueWith((db) => db.run("DROP TRIGGER refuse")));
}

test("an end that the database refuses is written later, though the rest of its lease ends in the same commit", async ({
  open,
}) => {
  const bench = await open({ own: [endingTogether(2)] });
  const allow = await refuseEnd(bench, 1);
  // Before there is a worker: one claim, and so one lease, takes both.
  const [first, second] = await Promise.all([bench.submit("app.end", 1), bench.submit("app.end", 2)]);
  const problem = Promise.withResolvers<unknown>();
  await bench.worker({
    concurrency: 2,
    onEvent: (event) => {
      if (event.kind === "problem") problem.resolve(event.error);
    },
  });
  await problem.promise;
  expect(await bench.settled(second)).toMatchObject({ state: "completed" });
  expect(await bench.windlass.backend.status(first)).toMatchObject({ state: "running" });
  await allow();
  expect(await bench.settled(first)).toMatchObject({ state: "completed", result: 1, attempt: 1 });
});

test("an end that the database refuses leaves those alone that are recorded together with it", async ({ open }) => {
  const bench = await open({ own: [endingTogether(12)] });
  const allow = await refuseEnd(bench, 7);
  const jobs = await Promise.all(Array.from({ length: 12 }, (_, n) => bench.submit("app.end", n)));
  const problems: unknown[] = [];
  const refused = Promise.withResolvers<void>();
  await bench.worker({
    concurrency: 12,
    onEvent: (event) => {
      if (event.kind !== "problem") return;
      problems.push(event.error);
      refused.resolve();
    },
  });
  await refused.promise;
  expect(problems).toHaveLength(1);
  const others = jobs.filter((_, n) => n !== 7);
  for (const other of others) expect(await bench.settled(other)).toMatchObject({ state: "completed", attempt: 1 });
  await allow();
  expect(await bench.settled(jobs[7] ?? "")).toMatchObject({ state: "completed", result: 7, attempt: 1 });
});

test("a lease goes with the last of its attempts where some of one commit complete and another fails", async ({
  open,
}) => {
  const release = Promise.withResolvers<void>();
  let begun = 0;
  const job = defineJob({
    name: "app.end",
    input: z.int(),
    result: z.int(),
    retries: 0,
    run: async (n: number) => {
      if (++begun === 6) release.resolve();
      await release.promise;
      if (n < 5) return n;
      // Behind the others, in the same turn of the event loop: their ends are recorded in one commit.
      for (let turn = 0; turn < 100; turn++) await Promise.resolve();
      throw new Error("fails");
    },
  });
  const bench = await open({ own: [job] });
  const jobs = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => bench.submit("app.end", n)));
  await bench.worker({ concurrency: 6 });
  const ended = await Promise.all(jobs.map((id) => bench.settled(id)));
  expect(ended.map(({ state }) => state)).toEqual([...Array<string>(5).fill("completed"), "failed"]);
  // While the worker lives, which takes its leases with it when it stops.
  expect(brokenInvariants(bench.databasePath)).toEqual([]);
});

test("an end that was refused and is found to be recorded is not recorded again", async ({ open }) => {
  const job = defineJob({ name: "app.end", input: z.string(), result: z.string(), run: async (name: string) => name });
  const bench = await open({ own: [job] });
  const { embedded } = bench.windlass;
  await embedded?.enqueueWith((db) =>
    db.run("CREATE TRIGGER refuse BEFORE INSERT ON done BEGIN SELECT raise(ABORT, 'refused'); END"),
  );
  const problems: unknown[] = [];
  const refused = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  await bench.worker({
    onEvent: (event) => {
      if (event.kind === "completed") over.resolve();
      if (event.kind !== "problem") return;
      problems.push(event.error);
      (problems.length === 1 ? refused : over).resolve();
    },
  });
  const id = await bench.submit("app.end", "first");
  await refused.promise;
  // As after a commit of which nobody knew whether it was made.
  await embedded?.enqueueWith((db) => {
    db.run("DROP TRIGGER refuse");
    db.run(`INSERT INTO done (job, run, state, attempt, failures, crashes, worker, claimed, finished, result)
      SELECT e.value ->> 0, e.value ->> 1, 'completed', 1, 0, 0, l.worker, l.at, l.at, '"first"' FROM lease l, json_each(l.jobs) e`);
  });
  await over.promise;
  expect(problems).toHaveLength(1);
  expect(await bench.settled(id)).toMatchObject({ state: "completed", result: "first", attempt: 1 });
});
