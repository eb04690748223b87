import { describe, expect, test } from "vitest";
import { z } from "zod";
import { AppError, type DurableContext, defineDurableJob, defineJob, rehearse } from "../../index.ts";

const define = (run: (ctx: DurableContext) => unknown) =>
  defineDurableJob({ name: "app.rehearsed", input: z.strictObject({}), run: (_, ctx) => run(ctx) });

class Connection implements AsyncDisposable {
  async [Symbol.asyncDispose](): Promise<void> {}
}
const connect = async (): Promise<Connection> => new Connection();
const lock = (): Disposable => ({ [Symbol.dispose]() {} });
const napping = (ctx: DurableContext): Promise<void> => ctx.sleep("10m");

describe("what is held across a wait is named", () => {
  test.each([
    [
      "await using",
      "sleep",
      async (ctx: DurableContext) => {
        await using _connection = await connect();
        await ctx.sleep("10m");
      },
    ],
    [
      "using",
      "waitFor",
      async (ctx: DurableContext) => {
        using _lock = lock();
        await ctx.waitFor("go");
      },
    ],
    [
      "finally",
      "run",
      async (ctx: DurableContext) => {
        const connection = await connect();
        try {
          await ctx.step("a", () => 1);
          await ctx.run("app.child", {});
        } finally {
          await connection[Symbol.asyncDispose]();
        }
      },
    ],
    [
      "await using",
      "sleep",
      async (ctx: DurableContext) => {
        await using _connection = await connect();
        await napping(ctx);
      },
    ],
    [
      "await using",
      "sleep",
      async (ctx: DurableContext) => {
        await using _connection = await connect();
        await ctx.all({ a: () => ctx.step("a", () => 1), b: () => ctx.sleep("1h") });
      },
    ],
    [
      "await using",
      "waitFor",
      async (ctx: DurableContext) => {
        await ctx.sleep("1s");
        const helper = async (): Promise<unknown> => {
          await ctx.step("b", () => 2);
          return await ctx.waitFor("go").catch(() => undefined);
        };
        await using _connection = await connect();
        return await helper();
      },
    ],
  ])("%s across %s", async (what, call, run) => {
    const answers = { events: { go: [1] }, children: { "app.child": [1] } };
    await expect(rehearse(define(run), {}, answers)).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringMatching(
        new RegExp(
          `^app\\.rehearsed: \`${what}\` at rehearse\\.test\\.ts:\\d+ is held across ctx\\.${call} \\(rehearse`,
        ),
      ),
    });
  });
});

describe("good code passes", () => {
  test("a resource inside a step, a catch around a wait; every wait lets it run from the top", async () => {
    let opened = 0;
    const job = define(async (ctx) => {
      const a = await ctx.step("open", async () => {
        await using _connection = await connect();
        return ++opened;
      });
      await ctx.sleep("30d");
      let paid: unknown;
      try {
        paid = await ctx.waitFor("paid", { match: { order: 7 }, timeout: "1h" });
      } catch {
        paid = "never";
      }
      const late = await ctx.waitFor("paid", { timeout: "1h" });
      const child = await ctx.run("app.child", { n: 1 });
      const { decision } = await ctx.approve({ title: "Go on" });
      {
        await using _short = await connect();
      }
      const rows = await ctx.transaction("rows", (db) => db.all("SELECT 1 AS n"));
      return { a, paid, late: late ?? "nothing", child, decision, rows };
    });
    const { result, calls, starts } = await rehearse(
      job,
      {},
      {
        events: { paid: [{ order: 8 }, { order: 7, by: "ada" }] },
        children: { "app.child": [{ at: 5 }] },
        approvals: ["approved"],
      },
    );
    expect(result).toEqual({
      a: 1,
      paid: { order: 7, by: "ada" },
      late: { order: 8 },
      child: { at: 5 },
      decision: "approved",
      rows: [{ n: 1 }],
    });
    expect(opened).toBe(1);
    expect(starts).toBe(6);
    expect(calls).toEqual([
      'step "open"',
      'sleep "30d"',
      'waitFor "paid"',
      'waitFor "paid"',
      'run "app.child"',
      'approve "Go on"',
      'transaction "rows"',
    ]);
  });

  test("continueAs begins the next run with its input", async () => {
    const job = defineDurableJob({
      name: "app.loop",
      input: z.strictObject({ round: z.int() }),
      async run({ round }, ctx) {
        await ctx.sleep("1d");
        if (round < 3) await ctx.continueAs({ round: round + 1 });
        return round;
      },
    });
    expect(await rehearse(job, { round: 1 })).toEqual({ result: 3, calls: ['sleep "1d"'], starts: 6 });
  });
});

describe("what would fail in production fails", () => {
  test("code without a source that can be read is not said to be good", async () => {
    const job = defineDurableJob({
      name: "app.made",
      input: z.strictObject({}),
      run: new Function("_", "ctx", "return Promise.resolve().then(() => ctx.sleep('1s'))") as never,
    });
    await expect(rehearse(job, {})).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("code that does otherwise when it runs again", async () => {
    let starts = 0;
    const job = define(async (ctx) => {
      await ctx.step(`start ${++starts}`, () => 1);
      await ctx.sleep("1s");
    });
    await expect(rehearse(job, {})).rejects.toMatchObject({ code: "NON_DETERMINISTIC" });
  });

  test("two calls at once, a missing answer, a plain job, the job's own error", async () => {
    const both = define((ctx) => Promise.all([ctx.step("a", () => 1), ctx.step("b", () => 2)]));
    await expect(rehearse(both, {})).rejects.toMatchObject({ code: "CONCURRENT_DURABLE_CALL" });
    const waits = define((ctx) => ctx.waitFor("go"));
    await expect(rehearse(waits, {})).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("`events`"),
    });
    const plain = defineJob({ name: "app.plain", input: z.strictObject({}), run: () => 1 });
    await expect(rehearse(plain, {})).rejects.toMatchObject({ code: "INVALID_DEFINITION" });
    const fails = define(() => {
      throw new AppError("EXIT_NONZERO", "3");
    });
    await expect(rehearse(fails, {})).rejects.toMatchObject({ code: "EXIT_NONZERO" });
  });
});
