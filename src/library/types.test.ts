import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
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

declare const client: WindlassClient;
declare const enqueue: Enqueue;

describe("types", () => {
  test("what a job type takes and gives", () => {
    expectTypeOf<InputOf<typeof mail>>().toEqualTypeOf<{ to: string; copies?: number | undefined }>();
    expectTypeOf<ResultOf<typeof mail>>().toEqualTypeOf<{ id: string; at: Date }>();
    expectTypeOf<ResultOf<typeof untyped>>().toEqualTypeOf<unknown>();
    expectTypeOf<ResultOf<typeof exec>>().toEqualTypeOf<ExecResult>();
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
