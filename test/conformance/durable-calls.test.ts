import { expect } from "vitest";
import { z } from "zod";
import { AppError } from "../../src/error.ts";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { TestClock } from "../support/clock.ts";
import { durable, emitted, recorded, runDurable, waits } from "../support/durable.ts";
import { seeded } from "../support/random.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", retries: 0 };

conformance("durable calls", (test) => {
  test("step: its outcome is recorded once and answered again after a wait in another worker", async ({ open }) => {
    const made: string[] = [];
    const job = durable(async (ctx) => {
      const a = await ctx.step("a", () => made.push("a"));
      await ctx.waitFor("go");
      const b = await ctx.step("b", () => made.push("b"));
      return [a, b];
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: [1, 2] });
    expect(made).toEqual(["a", "b"]);
    expect(await recorded(bench, id)).toEqual(["1 step a", "2 waitFor go", "3 step b"]);
  });

  test("step: what it returns is seen as the record keeps it, live and replayed alike", async ({ open }) => {
    const seen: unknown[] = [];
    const job = durable(async (ctx) => {
      const made = await ctx.step("a", () => ({ at: new Date(0), none: undefined, list: [1, undefined] }));
      const nothing = await ctx.step("b", () => undefined);
      seen.push(made, nothing);
      await ctx.waitFor("go");
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    await bench.settled(id);
    const value = { at: "1970-01-01T00:00:00.000Z", list: [1, null] };
    expect(seen).toEqual([value, undefined, value, undefined]);
  });

  test("step: an error that code catches is replayed as the same error, and so does not happen twice", async ({
    open,
  }) => {
    const seen: unknown[] = [];
    let tries = 0;
    const job = durable(async (ctx) => {
      for (const name of ["coded", "plain"]) {
        try {
          await ctx.step(name, () => {
            tries++;
            if (name === "coded") throw new AppError("EXIT_NONZERO", "it said 3", { details: { exit_code: 3 } });
            throw new TypeError("no such thing");
          });
        } catch (error) {
          const { code, message, details } = error as AppError;
          seen.push({ code, message, details, app: error instanceof AppError });
        }
      }
      await ctx.waitFor("go");
      return "caught";
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    expect((await bench.settled(id)).result).toBe("caught");
    const errors = [
      { code: "EXIT_NONZERO", message: "it said 3", details: { exit_code: 3 }, app: true },
      { code: "HANDLER_FAILED", message: "no such thing", details: {}, app: true },
    ];
    expect(seen).toEqual([...errors, ...errors]);
    expect(tries).toBe(2);
  });

  test("step: its retries and back-off come before the record; a code that is never retried ends them", async ({
    open,
  }) => {
    const keys: string[] = [];
    let tries = 0;
    const job = durable(async (ctx) => {
      const n = await ctx.step(
        "a",
        ({ stepKey }) => {
          keys.push(stepKey);
          if (++tries < 3) throw new Error("not yet");
          return tries;
        },
        { retries: 2, backoff: { first: "5ms", jitter: 0 } },
      );
      await ctx
        .step(
          "b",
          () => {
            tries++;
            throw new AppError("INVALID_INPUT", "never");
          },
          { retries: 5 },
        )
        .catch(() => undefined);
      return n;
    });
    const bench = await open({ own: [job] });
    await bench.worker();
    const done = await runDurable(bench);
    expect(done).toMatchObject({ state: "completed", result: 3 });
    expect(tries).toBe(4);
    expect(keys).toEqual(Array(3).fill(`${done.jobId}/1/1`));
  });

  test("step: a try beyond its timeout fails, whether or not it listens", async ({ open }) => {
    const reasons: unknown[] = [];
    const job = durable(async (ctx) => {
      const codes: string[] = [];
      for (const deaf of [false, true])
        await ctx
          .step(
            `deaf ${deaf}`,
            ({ signal }) =>
              new Promise((_, reject) => {
                signal.addEventListener("abort", () => {
                  reasons.push(signal.reason);
                  if (!deaf) reject(new Error("stopped"));
                });
              }),
            { timeout: "20ms" },
          )
          .catch((error: AppError) => codes.push(error.code));
      return codes;
    });
    const bench = await open({ own: [job] });
    await bench.worker();
    expect((await runDurable(bench)).result).toEqual(["TIMEOUT", "TIMEOUT"]);
    expect(reasons).toEqual(["timeout", "timeout"]);
  });

  test("step: wrong options are refused before anything is recorded", async ({ open }) => {
    const job = durable(async (ctx) => {
      const codes: string[] = [];
      const refuse = (call: Promise<unknown>) => call.catch((error: AppError) => codes.push(error.code));
      await refuse(ctx.step("", () => 1));
      await refuse(ctx.step("a", () => 1, { retries: -1 }));
      await refuse(ctx.step("a", () => 1, { timeout: "soon" }));
      await refuse(ctx.sleep(0));
      await refuse(ctx.sleep(-5));
      await refuse(ctx.sleep(Number.NaN));
      await refuse(ctx.sleepUntil(new Date(Number.NaN)));
      await refuse(ctx.waitFor(""));
      await refuse(ctx.waitFor("a", { match: { x: {} as never } }));
      await refuse(ctx.version("v", 0));
      return codes;
    });
    const bench = await open({ own: [job] });
    await bench.worker();
    const done = await runDurable(bench);
    const input = "INVALID_INPUT";
    const duration = "INVALID_DURATION";
    expect(done.result).toEqual([input, input, duration, duration, duration, duration, input, input, input, input]);
    expect(await recorded(bench, done.jobId)).toEqual([]);
  });

  test("keep inside a step: the file is evidence as soon as the step is recorded, wherever the job ends", async ({
    open,
  }) => {
    const job = durable(async (ctx) => {
      await ctx.step("a", async ({ keep }) => void (await keep("a/report.txt", "from the first")));
      await ctx
        .step("bad", async ({ keep }) => {
          await keep("bad.txt", "never recorded");
          throw new Error("bad");
        })
        .catch(() => undefined);
      await ctx.waitFor("go");
      await ctx.step("b", async ({ keep }) => void (await keep("b.txt", "from the second")));
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    await bench.settled(id);
    const manifest = await bench.backend.artifacts.manifest(id, 1);
    expect(manifest?.files.map(({ path }) => path)).toEqual(["a/report.txt", "b.txt"]);
  });

  test("sleep: never early, measured once, and over after a restart of the worker in the middle", async ({ open }) => {
    const clock = new TestClock();
    const job = durable(async (ctx) => {
      await ctx.sleep("1h");
      return "awake";
    });
    const bench = await open({ own: [job], clock, config: { "worker.tick": "10s" } });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await clock.advance(30 * 60_000);
    const stopped = first.stop({ graceMs: 0 });
    await clock.advance(10);
    await stopped;
    await bench.worker();
    await clock.advance(29 * 60_000);
    expect((await bench.status(id)).state).toBe("waiting");
    await clock.advance(2 * 60_000);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: "awake" });
  });

  test("sleep: many of them, none early and none much too late", async ({ open }) => {
    const job = durable(async (ctx, { ms }) => {
      const from = Date.now();
      await ctx.sleep(Number(ms));
      return Date.now() - from;
    });
    const bench = await open({ own: [job] });
    await bench.worker({ concurrency: 50 });
    const random = seeded(3);
    const spans = Array.from({ length: 200 }, () => 1 + Math.floor(random() * 200));
    const slept = await Promise.all(spans.map(async (ms) => (await runDurable(bench, { ms })).result as number));
    const late = slept.map((took, n) => took - (spans[n] ?? 0));
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(2_000);
  });

  test("sleepUntil: a past date returns at once, a future one waits", async ({ open }) => {
    const job = durable(async (ctx) => {
      const from = Date.now();
      await ctx.sleepUntil(new Date(0));
      const until = new Date((await ctx.now()).getTime() + 300);
      await ctx.sleepUntil(until);
      return { early: Date.now() < until.getTime(), from };
    });
    const bench = await open({ own: [job] });
    await bench.worker();
    expect(await runDurable(bench)).toMatchObject({ state: "completed", result: { early: false }, attempt: 2 });
  });

  test("now, random and uuid are recorded", async ({ open }) => {
    const seen: unknown[][] = [];
    const job = durable(async (ctx) => {
      seen.push([await ctx.now(), await ctx.random(), await ctx.uuid()]);
      await ctx.waitFor("go");
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    await bench.settled(id);
    expect(seen.length).toBe(2);
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.[0]).toBeInstanceOf(Date);
  });

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
      let after = 0;
      const error = await ctx
        .all({
          x: () =>
            ctx.step(
              "x",
              () =>
                new Promise((_, reject) =>
                  setTimeout(() => {
                    after++;
                    reject(new Error("x"));
                  }, 20),
                ),
            ),
          y: () => ctx.step("y", () => Promise.reject(new Error("y"))),
        })
        .catch((thrown: Error) => thrown.message);
      const none = await ctx.all({ z: async () => 1 }).catch((thrown: AppError) => thrown.code);
      return { ...made, error, none, after };
    });
    const bench = await open({ own: [job], types: [work] });
    await bench.worker();
    const done = await runDurable(bench);
    expect(done.result).toEqual({
      a: 1,
      b: 2,
      d: { name: "child", attempt: 1 },
      error: "x",
      none: "INVALID_INPUT",
      after: expect.any(Number),
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
    const bench = await open({ own: [loop, parent] });
    await bench.worker();
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
    await bench.reaches(id, () => true);
    await bench.backend.settled(id, {
      withinMs: 9_000,
      until: ({ state, attempt }) => state === "waiting" && attempt >= 2,
    });
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "again");
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: [5_000, 5_000, 5_000] });
  });
});
