import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  defineDurableJob,
  defineJob,
  type Enqueue,
  type ExecResult,
  exec,
  type FutureJob,
  type InputOf,
  type NewSchedule,
  type ResultOf,
  type SubmittedJob,
  type UserTransaction,
  type WindlassClient,
} from "../index.ts";

// The compiler is the test: `tsc` fails on an error, and on a line that expects one and has none. Nothing here is run.

const mail = defineJob({
  name: "app.mail",
  input: z.strictObject({ to: z.string(), copies: z.int().default(1) }),
  result: z.strictObject({ id: z.string(), at: z.coerce.date() }),
  run: ({ to, copies }, ctx) => {
    expectTypeOf(to).toEqualTypeOf<string>();
    expectTypeOf(copies).toEqualTypeOf<number>();
    expectTypeOf(ctx.attempt).toEqualTypeOf<number>();
    return { id: to, at: new Date() };
  },
});
const untyped = defineJob({ name: "app.untyped", input: z.string(), run: (text) => text.length });

const order = defineDurableJob({
  name: "app.order",
  input: z.strictObject({ id: z.int(), note: z.string().default("") }),
  result: z.strictObject({ sent: z.boolean() }),
  async run({ id, note }, ctx) {
    expectTypeOf(note).toEqualTypeOf<string>();
    const step = await ctx.step("a", async () => ({ at: new Date(), list: [1, "x"] as const, text: note }));
    expectTypeOf(step).toEqualTypeOf<{ at: string; list: readonly [1, "x"]; text: string }>();
    expectTypeOf(await ctx.run(mail, { to: "a" })).toEqualTypeOf<{ id: string; at: Date }>();
    expectTypeOf(await ctx.run("app.mail", {})).toEqualTypeOf<unknown>();
    const schema = z.object({ n: z.int() });
    expectTypeOf(await ctx.waitFor("go", { schema })).toEqualTypeOf<{ n: number }>();
    expectTypeOf(await ctx.waitFor("go", { schema, timeout: "1h" })).toEqualTypeOf<{ n: number } | undefined>();
    const both = await ctx.all({ a: () => ctx.step("b", () => 1), b: () => ctx.uuid() });
    expectTypeOf(both).toEqualTypeOf<{ readonly a: number; readonly b: string }>();
    expectTypeOf(await ctx.now()).toEqualTypeOf<Date>();
    expectTypeOf(await ctx.transaction("t", (db) => db.run("SELECT 1").changes)).toEqualTypeOf<number>();
    if (id > 9) await ctx.continueAs({ id: 1 });
    return { sent: true };
  },
});

declare const client: WindlassClient;
declare const enqueue: Enqueue;

describe("types", () => {
  test("what a job type takes and gives", () => {
    expectTypeOf<InputOf<typeof mail>>().toEqualTypeOf<{ to: string; copies?: number | undefined }>();
    expectTypeOf<ResultOf<typeof mail>>().toEqualTypeOf<{ id: string; at: Date }>();
    expectTypeOf<ResultOf<typeof untyped>>().toEqualTypeOf<unknown>();
    expectTypeOf<ResultOf<typeof exec>>().toEqualTypeOf<ExecResult>();
  });

  test("only durable code has durable calls, and it does not keep or retry as plain code does", () => {
    const input = z.strictObject({});
    (): unknown => [
      // @ts-expect-error a plain context has no step
      defineJob({ name: "a.b", input, run: (_, ctx) => ctx.step("a", () => 1) }),
      // @ts-expect-error a plain context does not sleep
      defineJob({ name: "a.b", input, run: (_, ctx) => ctx.sleep("1s") }),
      // @ts-expect-error a plain context waits for no event
      defineJob({ name: "a.b", input, run: (_, ctx) => ctx.waitFor("go") }),
      // @ts-expect-error a durable one keeps inside a step only
      defineDurableJob({ name: "a.b", input, run: (_, ctx) => ctx.keep("a", "b") }),
      // @ts-expect-error its steps have retries of their own
      defineDurableJob({ name: "a.b", input, retries: 3, run: () => 1 }),
      // @ts-expect-error it goes on after a crash
      defineDurableJob({ name: "a.b", input, afterCrash: "stop", run: () => 1 }),
      // @ts-expect-error the function of a transaction is synchronous
      defineDurableJob({ name: "a.b", input, run: (_, ctx) => ctx.transaction("t", async () => 1) }),
      defineDurableJob({
        name: "a.b",
        input: z.strictObject({ n: z.int() }),
        // @ts-expect-error the input of the next run is the type's
        run: (_, ctx) => ctx.continueAs({ n: "1" }),
      }),
      // @ts-expect-error members of all are functions
      defineDurableJob({ name: "a.b", input, run: (_, ctx) => ctx.all({ a: ctx.step("a", () => 1) }) }),
      // @ts-expect-error the input of a child is its type's
      defineDurableJob({ name: "a.b", input, run: (_, ctx) => ctx.run(mail, { to: 1 }) }),
      // @ts-expect-error a match holds scalars
      defineDurableJob({ name: "a.b", input, run: (_, ctx) => ctx.waitFor("go", { match: { a: {} } }) }),
      // @ts-expect-error the result is the type's
      defineDurableJob({ name: "a.b", input, result: z.string(), run: () => 1 }),
      // @ts-expect-error id is a number
      client.submit(order, { id: "1" }),
      client.submit(order, { id: 1 }),
    ];
    expectTypeOf<ResultOf<typeof order>>().toEqualTypeOf<{ sent: boolean }>();
  });

  test("a wrong input does not compile", () => {
    (): unknown => [
      client.submit(mail, { to: "a" }),
      // @ts-expect-error to is a text
      client.submit(mail, { to: 1 }),
      // @ts-expect-error to is missing
      client.submit(mail, {}),
      // @ts-expect-error there is no field cc
      client.submit(mail, { to: "a", cc: "b" }),
      // @ts-expect-error the input is missing
      client.submit(mail),
      // @ts-expect-error there is no priority 4
      client.submit(mail, { to: "a" }, { priority: 4 }),
      // @ts-expect-error there is no option idempotencykey
      client.submit(mail, { to: "a" }, { idempotencykey: "k" }),
      // @ts-expect-error argv is a list
      client.submit(exec, { argv: "true" }),
      // @ts-expect-error the input is a text
      client.runAndWait(untyped, 5),
      // @ts-expect-error day is no field
      client.schedule(mail, { day: 1 }, { after: "1m" }),
      // @ts-expect-error copies is a number
      enqueue(mail, { to: "a", copies: "2" }),
      client.submit("any.name", 5),
      enqueue("any.name", 5),
    ];
  });

  test("results are what the schema says", () => {
    async (): Promise<unknown> => {
      const { id, at } = await client.runAndWait(mail, { to: "a" });
      expectTypeOf(id).toEqualTypeOf<string>();
      expectTypeOf(at).toEqualTypeOf<Date>();
      const { exit_code } = await client.runAndWait(exec, { argv: ["true"] });
      expectTypeOf(exit_code).toEqualTypeOf<number | null>();
      expectTypeOf(await client.runAndWait("app.mail", {})).toEqualTypeOf<unknown>();
      // @ts-expect-error there is no field name in the result
      return (await client.runAndWait(mail, { to: "a" })).name;
    };
  });

  test("each request of submitMany has the input of its own type", () => {
    async (): Promise<unknown> => {
      const rows = ["a", "b"].map((to) => ({ type: mail, input: { to } }));
      expectTypeOf(await client.submitMany(rows)).toEqualTypeOf<readonly SubmittedJob[]>();
      await client.submitMany([
        { type: mail, input: { to: "a" } },
        { type: exec, input: { argv: ["true"] }, options: { priority: 1 } },
        { type: "any.name", input: 5 },
      ]);
      // @ts-expect-error to is a text
      await client.submitMany([{ type: mail, input: { to: 1 } }]);
      await client.submitMany([
        { type: mail, input: { to: "a" } },
        // @ts-expect-error that is the input of another type
        { type: exec, input: { to: "a" } },
      ]);
      // @ts-expect-error there is no option prio
      return client.submitMany([{ type: mail, input: { to: "a" }, options: { prio: 1 } }]);
    };
  });

  test("one time makes a future job or a schedule", () => {
    async (): Promise<unknown> => {
      expectTypeOf(await client.schedule(mail, { to: "a" }, { after: "1m" })).toEqualTypeOf<FutureJob>();
      expectTypeOf(await client.schedule(mail, { to: "a" }, { at: new Date() })).toEqualTypeOf<FutureJob>();
      expectTypeOf(await client.schedule(mail, { to: "a" }, { cron: "* * * * *" })).toEqualTypeOf<NewSchedule>();
      // @ts-expect-error two times
      await client.schedule(mail, { to: "a" }, { after: "1m", at: new Date() });
      // @ts-expect-error no time
      await client.schedule(mail, { to: "a" }, {});
      // @ts-expect-error that belongs to a cron line
      await client.schedule(mail, { to: "a" }, { after: "1m", overlap: "skip" });
      // @ts-expect-error there is no such overlap
      return client.schedule(mail, { to: "a" }, { cron: "* * * * *", overlap: "queue" });
    };
  });

  test("enqueueWith takes a function that does not wait, and gives what it returns", () => {
    async (): Promise<unknown> => {
      const count = client.embedded?.enqueueWith((db: UserTransaction) => db.all("SELECT 1").length);
      expectTypeOf(await count).toEqualTypeOf<number | undefined>();
      const job = client.embedded?.enqueueWith((_, add) => add(mail, { to: "a" }));
      expectTypeOf(await job).toEqualTypeOf<SubmittedJob | undefined>();
      await client.embedded?.enqueueWith(() => {
        throw new Error("undo");
      });
      // @ts-expect-error a function that waits
      await client.embedded?.enqueueWith(async (db) => db.all("SELECT 1"));
      // @ts-expect-error copies is a number
      return client.embedded?.enqueueWith((_, add) => add(mail, { to: "a", copies: "b" }));
    };
  });

  test("a handler must return what its result schema reads", () => {
    (): unknown => [
      defineJob({ name: "app.good", input: z.string(), result: z.number(), run: (text) => text.length }),
      // @ts-expect-error the result is a number
      defineJob({ name: "app.bad", input: z.string(), result: z.number(), run: (text) => text }),
      // @ts-expect-error the input is a text
      defineJob({ name: "app.worse", input: z.string(), run: (text: number) => text }),
    ];
  });

  test("a closed list of what can be asked", () => {
    (): unknown => [
      // @ts-expect-error there is no state done
      client.list({ state: "done" }),
      // @ts-expect-error a duration is a text or a number
      client.wait("id", { wait: new Date() }),
      // @ts-expect-error report or kill
      client.startWorker({ onStuck: "die" }),
    ];
  });
});
