import { expect } from "vitest";
import { z } from "zod";
import { AppError } from "../../src/error.ts";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { durable, emitted, recorded, runDurable, served, waits } from "../support/durable.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", retries: 0 };

conformance("durable calls", (test) => {
  test("all: single calls at once, in the order of the keys, one position each; it waits for all and throws the first error", async ({
    open,
  }) => {
    const job = durable(async (ctx) => {
      const made = await ctx.all({
        b: () => ctx.step("b", () => new Promise<number>((resolve) => setTimeout(resolve, 20, 2))),
        a: () => ctx.step("a", () => 1),
        c: () => ctx.sleep("30ms"),
        d: () => ctx.run("app.work", { name: "child" }),
      });
      const error = await ctx
        .all({
          x: () => ctx.step("x", () => new Promise((_, reject) => setTimeout(() => reject(new Error("x")), 20))),
          y: () => ctx.step("y", () => Promise.reject(new Error("y"))),
        })
        .catch((thrown: Error) => thrown.message);
      const none = await ctx.all({ z: async () => 1 }).catch((thrown: AppError) => thrown.code);
      return { ...made, error, none };
    });
    const bench = await served(open, { own: [job], types: [work] });
    const done = await runDurable(bench);
    expect(done.result).toEqual({
      a: 1,
      b: 2,
      d: { name: "child", attempt: 1 },
      error: "x",
      none: "INVALID_INPUT",
    });
    expect(await recorded(bench, done.jobId)).toEqual([
      "1 step b",
      "2 step a",
      "3 sleep 30ms",
      "4 run app.work",
      "5 step x",
      "6 step y",
    ]);
  });

  test("version: the number is recorded where the job first passes; a run that passed before has 0", async ({
    open,
  }) => {
    const bodies = [
      durable(async (ctx) => {
        await ctx.step("a", () => 1);
        await ctx.waitFor("go");
      }),
      durable(async (ctx) => {
        const before = await ctx.version("new", 2);
        await ctx.step("a", () => 1);
        await ctx.waitFor("go");
        const after = await ctx.version("after", 3);
        return { before, after };
      }),
    ];
    const bench = await open({ own: [bodies[0] as never] });
    const first = await bench.worker();
    const old = await bench.submit("app.durable", {});
    await waits(bench, old);
    await first.stop({ graceMs: 0 });
    const newer = await open({ own: [bodies[1] as never], folder: bench.folder });
    await newer.worker();
    const fresh = await newer.submit("app.durable", {});
    await waits(newer, fresh);
    await emitted(newer, "go");
    expect((await newer.settled(old)).result).toEqual({ before: 0, after: 3 });
    expect((await newer.settled(fresh)).result).toEqual({ before: 2, after: 3 });
  });

  test("continueAs: the next run begins with its input and an empty record; keys, events and the child's parent go over to it", async ({
    open,
  }) => {
    const loop = defineDurableJob({
      name: "app.loop",
      input: z.strictObject({ round: z.int(), said: z.array(z.string()).default([]) }),
      concurrency: [{ limit: 1 }],
      async run({ round, said }, ctx) {
        const { text } = await ctx.waitFor("message", { schema: z.strictObject({ text: z.string() }) });
        if (round < 3) await ctx.continueAs({ round: round + 1, said: [...said, text] });
        return [...said, text];
      },
    });
    const parent = durable((ctx) => ctx.run(loop, { round: 1 }));
    const bench = await served(open, { own: [loop, parent] });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    // All at once: none may be lost between two runs.
    for (const text of ["one", "two", "three"]) await emitted(bench, "message", { text });
    expect((await bench.settled(id)).result).toEqual(["one", "two", "three"]);
    const [child] = (await bench.backend.list({ limit: 9, type: "app.loop" })).jobs;
    expect(await bench.status(child?.jobId ?? "")).toMatchObject({ runNumber: 3, state: "completed" });
    expect(await recorded(bench, child?.jobId ?? "", 3)).toEqual(["1 waitFor message"]);
  });

  test("transaction: rows and record commit together; what throws is undone and recorded", async ({ open, skip }) => {
    const job = durable(async (ctx) => {
      await ctx.transaction("table", (db) => void db.run("CREATE TABLE IF NOT EXISTS app_order (id INTEGER)"));
      const first = await ctx.transaction("first", (db) => db.run("INSERT INTO app_order VALUES (1)").changes);
      const error = await ctx
        .transaction("second", (db) => {
          db.run("INSERT INTO app_order VALUES (2)");
          throw new AppError("QUEUE_FULL", "no");
        })
        .catch((thrown: AppError) => thrown.code);
      const commit = await ctx
        .transaction("third", (db) => db.run("COMMIT").changes)
        .catch((thrown: AppError) => thrown.code);
      const later = await ctx.transaction("later", (async () => 1) as never).catch((thrown: AppError) => thrown.code);
      await ctx.waitFor("go");
      return {
        first,
        error,
        commit,
        later,
        rows: await ctx.transaction("rows", (db) => db.all("SELECT id FROM app_order")),
      };
    });
    const bench = await open({ own: [job] });
    if (!bench.backend.capabilities.transaction) return skip("this backend has no transaction");
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    const invalid = "INVALID_INPUT";
    expect((await bench.settled(id)).result).toEqual({
      first: 1,
      error: "QUEUE_FULL",
      commit: invalid,
      later: invalid,
      rows: [{ id: 1 }],
    });
  });

  test("values above the inline limit stand in files and come back whole", async ({ open }) => {
    const big = "x".repeat(5_000);
    const child = durable(() => big, { name: "app.big" });
    const job = durable(async (ctx) => {
      const a = await ctx.step("a", () => big);
      const b = await ctx.run("app.big", {});
      const c = (await ctx.waitFor("go")) as string;
      await ctx.waitFor("again");
      return [a, b, c].map((text) => (text as string).length);
    });
    const bench = await open({ own: [job, child], config: { "job.inline_bytes": 1_024 } });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await emitted(bench, "go", big);
    await waits(bench, id, 2);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "again");
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: [5_000, 5_000, 5_000] });
  });
});
