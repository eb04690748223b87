import { expect } from "vitest";
import { AppError } from "../../src/error.ts";
import { durable, emitted, goesOnElsewhere, recorded, runDurable, served, waits } from "../support/durable.ts";
import { conformance } from "./backends.ts";

conformance("durable steps", (test) => {
  test("step: its outcome is recorded once and answered again after a wait in another worker", async ({ open }) => {
    const made: string[] = [];
    const job = durable(async (ctx) => {
      const a = await ctx.step("a", () => made.push("a"));
      await ctx.waitFor("go");
      const b = await ctx.step("b", () => made.push("b"));
      return [a, b];
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
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
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
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
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
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
    const bench = await served(open, { own: [job] });
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
    const bench = await served(open, { own: [job] });
    expect((await runDurable(bench)).result).toEqual(["TIMEOUT", "TIMEOUT"]);
    expect(reasons).toEqual(["timeout", "timeout"]);
  });

  test("wrong options of any call (0, negative and NaN sleeps among them) are refused before anything is recorded", async ({
    open,
  }) => {
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
    const bench = await served(open, { own: [job] });
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
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
    await bench.settled(id);
    const manifest = await bench.backend.artifacts.manifest(id, 1);
    expect(manifest?.files.map(({ path }) => path)).toEqual(["a/report.txt", "b.txt"]);
  });

  test("stepKey: the same for every try and every replay of a step, another one for another step and for a new run", async ({
    open,
  }) => {
    const keys: string[] = [];
    const job = durable(async (ctx) => {
      await ctx.step("a", ({ stepKey }) => keys.push(stepKey));
      await ctx.waitFor("go");
      const tryTwice = { retries: 1, backoff: { first: "5ms", jitter: 0 } } as const;
      await ctx.step(
        "b",
        ({ stepKey }) => {
          keys.push(stepKey);
          if (keys.length === 2) throw new Error("once");
        },
        tryTwice,
      );
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
    await bench.settled(id);
    expect(keys).toEqual([`${id}/1/1`, `${id}/1/3`, `${id}/1/3`]);
    await bench.replay(id);
    await waits(bench, id);
    await emitted(bench, "go");
    await bench.reaches(id, ({ state, runNumber }) => state === "completed" && runNumber === 2);
    expect(keys.slice(3)).toEqual([`${id}/2/1`, `${id}/2/3`]);
  });
});
