import { expect } from "vitest";
import { z } from "zod";
import { defineJob } from "../../src/job/definition.ts";
import { brokenInvariants } from "../support/invariants.ts";
import { EMBEDDED, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);

test("an end that the database refuses is written later, though the rest of its lease ends in the same commit", async ({
  open,
}) => {
  const release = Promise.withResolvers<void>();
  const job = defineJob({
    name: "app.end",
    input: z.string(),
    result: z.string(),
    run: async (name: string) => {
      await release.promise;
      return name;
    },
  });
  const bench = await open({ own: [job] });
  const { embedded } = bench.windlass;
  await embedded?.enqueueWith((db) => {
    db.run("CREATE TABLE refused (result TEXT)");
    db.run(`CREATE TRIGGER refuse BEFORE INSERT ON done WHEN new.result IN (SELECT result FROM refused) BEGIN
      SELECT raise(ABORT, 'refused'); END`);
    db.run(`INSERT INTO refused VALUES ('"first"')`);
  });
  // Before there is a worker: one claim, and so one lease, takes both.
  const [first, second] = await Promise.all([bench.submit("app.end", "first"), bench.submit("app.end", "second")]);
  const problem = Promise.withResolvers<unknown>();
  let claimed = 0;
  await bench.worker({
    concurrency: 2,
    onEvent: (event) => {
      if (event.kind === "claimed" && ++claimed === 2) release.resolve();
      if (event.kind === "problem") problem.resolve(event.error);
    },
  });
  await problem.promise;
  expect(await bench.settled(second)).toMatchObject({ state: "completed" });
  expect(await bench.windlass.backend.status(first)).toMatchObject({ state: "running" });
  await embedded?.enqueueWith((db) => db.run("DELETE FROM refused"));
  expect(await bench.settled(first)).toMatchObject({ state: "completed", result: "first", attempt: 1 });
  await embedded?.enqueueWith((db) => {
    db.run("DROP TRIGGER refuse");
    db.run("DROP TABLE refused");
  });
});

test("an end that the database refuses leaves those alone that are recorded together with it", async ({ open }) => {
  const release = Promise.withResolvers<void>();
  const job = defineJob({
    name: "app.end",
    input: z.int(),
    result: z.int(),
    run: async (n: number) => {
      await release.promise;
      return n;
    },
  });
  const bench = await open({ own: [job] });
  const { embedded } = bench.windlass;
  await embedded?.enqueueWith((db) => {
    db.run("CREATE TABLE refused (result TEXT)");
    db.run(`CREATE TRIGGER refuse BEFORE INSERT ON done WHEN new.result IN (SELECT result FROM refused) BEGIN
      SELECT raise(ABORT, 'refused'); END`);
    db.run("INSERT INTO refused VALUES ('7')");
  });
  const numbers = Array.from({ length: 12 }, (_, n) => n);
  const jobs = await Promise.all(numbers.map((n) => bench.submit("app.end", n)));
  const problems: unknown[] = [];
  const refused = Promise.withResolvers<void>();
  let claimed = 0;
  await bench.worker({
    concurrency: 12,
    onEvent: (event) => {
      if (event.kind === "claimed" && ++claimed === 12) release.resolve();
      if (event.kind !== "problem") return;
      problems.push(event.error);
      refused.resolve();
    },
  });
  await refused.promise;
  const others = jobs.filter((_, n) => n !== 7);
  for (const other of others) expect(await bench.settled(other)).toMatchObject({ state: "completed", attempt: 1 });
  expect(problems).toHaveLength(1);
  await embedded?.enqueueWith((db) => db.run("DELETE FROM refused"));
  expect(await bench.settled(jobs[7] ?? "")).toMatchObject({ state: "completed", result: 7, attempt: 1 });
  await embedded?.enqueueWith((db) => {
    db.run("DROP TRIGGER refuse");
    db.run("DROP TABLE refused");
  });
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
