import { expect } from "vitest";
import type { AppError } from "../../src/error.ts";
import { defineJob } from "../../src/job/definition.ts";
import { durable, goesOnElsewhere, runDurable, served, typed } from "../support/durable.ts";
import { conformance } from "./backends.ts";

conformance("durable children of one group", (test) => {
  test("of several types, beside steps and refusals, in the order of their keys", async ({ open }) => {
    const { input, result } = typed;
    const run = ({ n }: { n: number }) => ({ at: new Date(n) });
    const locked = defineJob({ name: "app.locked", input, result, locks: ["one"], run });
    const answers: unknown[] = [];
    const job = durable(async (ctx) => {
      const at = async (made: Promise<{ at: Date }>) => (await made).at.getTime();
      const calls = Array.from({ length: 60 }, (_, n) => {
        if (n % 20 === 7) return () => ctx.step("s", () => n);
        if (n % 20 === 13) return () => at(ctx.run(locked, { n }));
        if (n % 20 === 17) return () => ctx.run("app.typed", { wrong: n }).catch(({ code }: AppError) => code);
        if (n % 20 === 3) return () => at(ctx.run(typed, { n }, { delay: "50ms" }));
        return () => at(ctx.run(typed, { n }));
      });
      answers.push(Object.values(await ctx.all(Object.fromEntries(calls.map((call, n) => [`c${n}`, call])))));
      await ctx.waitFor("go");
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job, typed, locked] }, { attempt: 2 });
    await bench.settled(id);
    const expected = Array.from({ length: 60 }, (_, n) => (n % 20 === 17 ? "INVALID_INPUT" : n));
    expect(answers).toEqual([expected, expected]);
  });

  test("what is made beyond a limit is refused, and only that", async ({ open }) => {
    const codes: string[] = [];
    const middle = durable(
      async (ctx) => {
        const call = () =>
          ctx.run("app.typed", { n: 1 }).then(
            () => "made",
            ({ code }: AppError) => code,
          );
        const made = await ctx.all(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`c${n}`, call])));
        codes.push(...Object.values(made));
      },
      { name: "app.middle" },
    );
    const job = durable((ctx) => ctx.run("app.middle", {}));
    const bench = await served(open, { own: [job, middle, typed], config: { "job.spawn_rate": 20 } });
    await runDurable(bench);
    expect(codes).toEqual(Array.from({ length: 30 }, (_, n) => (n < 20 ? "made" : "LIMIT_REACHED")));
    expect((await bench.backend.list({ limit: 99, type: "app.typed" })).jobs.length).toBe(20);
  });

  test("more than one operation makes, each once and joined", async ({ open }) => {
    const job = durable(async (ctx) => {
      const calls = Array.from({ length: 1_200 }, (_, n) => [`c${n}`, () => ctx.run("app.typed", { n })] as const);
      return Object.values(await ctx.all(Object.fromEntries(calls))).length;
    });
    const bench = await served(open, { own: [job, typed] });
    expect((await runDurable(bench)).result).toBe(1_200);
    expect((await bench.backend.list({ limit: 10_000, type: "app.typed" })).jobs.length).toBe(1_200);
  });
});
