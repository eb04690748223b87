import { expect } from "vitest";
import { z } from "zod";
import type { AppError } from "../../src/error.ts";
import { defineJob } from "../../src/job/definition.ts";
import { TestClock } from "../support/clock.ts";
import { durable, runDurable } from "../support/durable.ts";
import { ends } from "../support/ends.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", retries: 0 };

/** Makes the jobs of its input, which do the same. */
const familyType = defineJob({
  name: "app.family",
  input: z.strictObject({ make: z.array(z.unknown()).default([]) }),
  run: async ({ make }, ctx) => {
    for (const input of make) await ctx.enqueue("app.family", input);
  },
});

conformance("loop guards", (test) => {
  test("job.depth_max: a kind that starts itself again without end is stopped", async ({ open }) => {
    const bench = await open({ types: [work], config: { "job.depth_max": 3 } });
    await bench.worker();
    // Each level waits for nobody; held, so that all ancestors are unfinished.
    const id = await bench.submit("app.work", { name: "a", depth: 9, hold: true });
    const failed = await bench.reaches(id, () => bench.effects.order("start").length === 4);
    expect(failed.state).toBe("running");
    const deepest = bench.effects.all().at(-1);
    expect(await bench.settled(deepest?.jobId ?? "")).toMatchObject({
      state: "failed",
      error: {
        code: "LIMIT_REACHED",
        message: expect.stringMatching(
          new RegExp(
            `^app.work: job ${deepest?.jobId} .* 4 unfinished ancestors, .* job ${id}, and job.depth_max is 3; `,
          ),
        ),
        details: { parent: deepest?.jobId, first_ancestor: id, limit: 3, key: "job.depth_max" },
      },
    });
    await bench.cancel(id);
  });

  test("job.spawn_rate: what a first job makes itself is its fan-out, in whichever run", async ({ open }) => {
    const bench = await open({ types: [work], config: { "job.spawn_rate": 1 } });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", children: Array.from({ length: 20 }, (_, n) => `c${n}`) });
    expect((await bench.settled(id)).state).toBe("completed");
    await bench.replay(id);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", runNumber: 2 });
    expect((await bench.backend.list({ limit: 100 })).jobs.length).toBe(41);
  });

  test("job.spawn_rate: the descendants of one first job make no more jobs in a minute, whichever of them does", async ({
    open,
  }) => {
    const bench = await open({ types: [work], own: [familyType], config: { "job.spawn_rate": 3 } });
    await bench.worker();
    const id = await bench.submit("app.family", { make: [{ make: [{}, {}] }, { make: [{}, {}] }] });
    const ended = await ends(bench, 1 + 2 + 3);
    const failed = ended.filter(({ state }) => state === "failed");
    expect(failed).toMatchObject([
      {
        attempt: 1,
        error: {
          code: "LIMIT_REACHED",
          message: expect.stringMatching(
            new RegExp(
              `^app.family: job ${failed[0]?.jobId} .* of job ${id} made 3 jobs within a minute.*job.spawn_rate`,
            ),
          ),
          details: { parent: failed[0]?.jobId, first_ancestor: id, limit: 3, key: "job.spawn_rate" },
        },
      },
    ]);
    const other = await bench.submit("app.family", { make: [{ make: [{}] }] });
    expect((await bench.settled(other)).state).toBe("completed");
    expect((await ends(bench, 6 + 3)).filter(({ state }) => state === "failed").length).toBe(1);
  });

  test("job.spawn_rate: a minute later as many again may be made", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], config: { "job.spawn_rate": 3 }, clock });
    await bench.worker();
    // The first generation is free, three more count, and the one after them is not made.
    const chain = await bench.submit("app.work", { name: "chain", depth: 9 });
    expect((await bench.settled(chain)).state).toBe("completed");
    const last = (await ends(bench, 5)).find(({ state }) => state === "failed")?.jobId ?? "";
    await bench.replay(last);
    expect(await bench.settled(last)).toMatchObject({ state: "failed", error: { code: "LIMIT_REACHED" } });
    await clock.advance(60_000);
    await bench.replay(last);
    expect(await bench.settled(last)).toMatchObject({ state: "completed", runNumber: 3 });
    expect((await ends(bench, 5 + 3)).filter(({ state }) => state === "failed").length).toBe(1);
  });

  test("job.spawn_rate 0: first jobs make jobs, their children make none", async ({ open }) => {
    const bench = await open({ types: [work], config: { "job.spawn_rate": 0 } });
    await bench.worker();
    await bench.submit("app.work", { name: "a", depth: 3 });
    expect((await ends(bench, 2)).map(({ state }) => state).sort()).toEqual(["completed", "failed"]);
  });

  test("an attempt of a plain job that enqueues without end is stopped after 10,000", async ({ open }) => {
    const flood = defineJob({
      name: "app.flood",
      input: z.strictObject({}),
      run: async (_, ctx) => {
        // Named, so that one job stands for all of them.
        for (;;) await ctx.enqueue("app.work", { name: "c" }, { key: "only" });
      },
    });
    const bench = await open({ types: [work], own: [flood] });
    await bench.worker();
    expect(await bench.settled(await bench.submit("app.flood", {}))).toMatchObject({
      state: "failed",
      attempt: 1,
      error: { code: "LIMIT_REACHED", message: expect.stringContaining("of app.flood has enqueued 10000 jobs") },
    });
  });

  test("job.depth_max: a durable job that runs its own kind and waits for it is stopped, and each one above is told", async ({
    open,
  }) => {
    const loop = durable((ctx) => ctx.run("app.durable", {}));
    const bench = await open({ own: [loop], config: { "job.depth_max": 3 } });
    await bench.worker();
    const { error, jobId } = await runDurable(bench);
    expect(error).toMatchObject({ code: "LIMIT_REACHED", message: expect.stringContaining("job.depth_max is 3") });
    expect(error?.details).toMatchObject({ first_ancestor: jobId, key: "job.depth_max" });
    expect((await ends(bench, 4)).every(({ state }) => state === "failed")).toBe(true);
  });

  test("job.spawn_rate: a durable job that starts its own kind again and ends is stopped", async ({ open }) => {
    const loop = durable((ctx) => ctx.enqueue("app.durable", {}));
    const bench = await open({ own: [loop], config: { "job.spawn_rate": 4 } });
    await bench.worker();
    await runDurable(bench);
    const failed = (await ends(bench, 1 + 1 + 4)).filter(({ state }) => state === "failed");
    expect(failed).toMatchObject([{ error: { code: "LIMIT_REACHED", details: { key: "job.spawn_rate" } } }]);
  });

  test("job.spawn_rate: a loop of continueAs that enqueues counts from its second run on", async ({ open }) => {
    const loop = durable(async (ctx) => {
      await ctx.enqueue("app.work", { name: "a" });
      await ctx.enqueue("app.work", { name: "b" });
      return ctx.continueAs({});
    });
    const bench = await open({ own: [loop], types: [work], config: { "job.spawn_rate": 6 } });
    await bench.worker();
    const ended = await runDurable(bench);
    expect(ended).toMatchObject({
      state: "failed",
      runNumber: 1 + 3 + 1,
      error: { code: "LIMIT_REACHED", details: { parent: ended.jobId, key: "job.spawn_rate" } },
    });
    expect((await ends(bench, 1 + 2 + 6)).filter(({ type }) => type === "app.work").length).toBe(8);
    // Whoever starts it over means it.
    await bench.replay(ended.jobId);
    expect(await bench.settled(ended.jobId)).toMatchObject({ state: "failed", runNumber: 7 });
  });

  test("job.spawn_rate: a fan-out in rounds of continueAs that waits for its children is free", async ({ open }) => {
    const rounds = durable(async (ctx, { round = 0 }) => {
      const names = Array.from({ length: 5 }, (_, n) => `${round}-${n}`);
      await ctx.all(Object.fromEntries(names.map((name) => [name, () => ctx.run("app.work", { name })])));
      return Number(round) < 3 ? ctx.continueAs({ round: Number(round) + 1 }) : "all";
    });
    const bench = await open({ own: [rounds], types: [work], config: { "job.spawn_rate": 1 } });
    await bench.worker();
    expect(await runDurable(bench)).toMatchObject({ state: "completed", result: "all", runNumber: 4 });
    await ends(bench, 1 + 20);
  });

  test("a durable job may catch LIMIT_REACHED, and is told the same again when it is replayed", async ({ open }) => {
    const loop = durable(async (ctx, { level = 0 }) => {
      if (Number(level) < 2) return ctx.enqueue("app.durable", { level: Number(level) + 1 });
      const refused = await ctx.enqueue("app.work", { name: "a" }).catch(({ code }: AppError) => code);
      await ctx.sleep("5ms");
      return refused;
    });
    const bench = await open({ own: [loop], types: [work], config: { "job.spawn_rate": 1 } });
    await bench.worker();
    await runDurable(bench);
    const last = (await ends(bench, 3)).find(({ result }) => result === "LIMIT_REACHED");
    expect(last).toMatchObject({ state: "completed" });
  });
});
