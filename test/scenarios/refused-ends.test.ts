import { expect } from "vitest";
import { z } from "zod";
import { defineJob } from "../../src/job/definition.ts";
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
