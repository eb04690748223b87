import { z } from "zod";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import type { DurableContext } from "../../src/job/durable/context.ts";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { type EffectLine, Effects } from "./effects.ts";
import { pairJob } from "./pair-job.ts";

/** How many positions {@link longJob} has. */
export const LONG_POSITIONS = 20;

/** Where a process ends itself: at a position of the long job, before, within or after the effect of a step. */
export interface Death {
  readonly position: number;
  readonly moment: "before" | "between" | "after";
}

/** Durable job types for worker processes: they are told of a folder and write to its side log. */
export function durableTypes(folder: string): readonly JobType[] {
  const effects = new Effects(folder);
  const child = defineJob({
    name: "app.long-child",
    input: z.strictObject({ n: z.int() }),
    run: ({ n }) => n * 10,
  });
  const long = defineDurableJob({
    name: "app.long",
    input: z.strictObject({ name: z.string(), position: z.int(), moment: z.enum(["before", "between", "after"]) }),
    run: (input, ctx) => longJob(input, ctx, effects),
  });
  const sleeper = defineDurableJob({
    name: "app.sleeper",
    input: z.strictObject({ sleepMs: z.int() }),
    async run({ sleepMs }, ctx) {
      await ctx.step("A", () => effects.append(effectOf(ctx, "A")));
      await ctx.sleep(sleepMs);
      await ctx.step("B", () => effects.append(effectOf(ctx, "B")));
    },
  });
  const asks = defineDurableJob({
    name: "app.asks",
    input: z.strictObject({}),
    async run(_, ctx) {
      const { decision, decidedBy, reason } = await ctx.approve({ title: "Go on" });
      await ctx.step("after", () => effects.append(effectOf(ctx, "after")));
      return [decision, decidedBy, reason];
    },
  });
  const asksTwice = defineDurableJob({
    name: "app.asks-twice",
    input: z.strictObject({}),
    async run(_, ctx) {
      const first = await ctx.approve({ title: "Go on" });
      await ctx.step("between", () => effects.append(effectOf(ctx, "between")));
      const second = await ctx.approve({ title: "And on" });
      return [first.decision, second.decision];
    },
  });
  return [child, long, pairJob, sleeper, asks, asksTwice];
}

/** A thing that was done now. */
function effectOf(ctx: DurableContext, name: string): EffectLine {
  const { jobId, runNumber: run, attempt } = ctx;
  return { name, event: "end", type: "app.sleeper", jobId, run, attempt, pid: process.pid, atMs: Date.now() };
}

interface LongInput extends Death {
  readonly name: string;
}

/** Twenty positions of every kind; its result holds no id and no time. */
async function longJob(input: LongInput, ctx: DurableContext<LongInput>, effects: Effects): Promise<unknown> {
  const values: unknown[] = [];
  let position = 0;
  const die = (moment: Death["moment"]): void => {
    const line = { name: `${input.name}.${position}.${moment}`, event: "start", type: "app.long" } as const;
    effects.append({
      ...line,
      jobId: ctx.jobId,
      run: ctx.runNumber,
      attempt: ctx.attempt,
      pid: process.pid,
      atMs: Date.now(),
    });
    if (
      position !== input.position ||
      moment !== input.moment ||
      (ctx.attempt > 1 && effects.count(`${input.name}.died`, "end") > 0)
    )
      return;
    effects.append({
      ...line,
      name: `${input.name}.died`,
      event: "end",
      jobId: ctx.jobId,
      run: 1,
      attempt: ctx.attempt,
      pid: process.pid,
      atMs: 0,
    });
    process.kill(process.pid, "SIGKILL");
  };
  const call = async (make: () => Promise<unknown>): Promise<void> => {
    position++;
    die("before");
    values.push((await make()) ?? null);
    die("after");
  };
  const step = (name: string): Promise<void> =>
    call(() =>
      ctx.step(name, () => {
        effects.append({
          name: `${input.name}.${name}`,
          event: "end",
          type: "app.long",
          jobId: ctx.jobId,
          run: 1,
          attempt: ctx.attempt,
          pid: process.pid,
          atMs: Date.now(),
        });
        die("between");
        return `${name} done`;
      }),
    );
  for (let round = 1; round <= 2; round++) {
    await step(`first ${round}`);
    await call(() => ctx.sleep("5ms"));
    await step(`second ${round}`);
    await call(async () => Object.keys((await ctx.waitFor("go", { match: { name: input.name, round } })) as object));
    await call(() => ctx.run("app.long-child", { n: round }));
    await call(async () => {
      if (round === 1) return (await ctx.uuid()).length;
      const { decision, decidedBy, reason } = await ctx.approve({ title: "Go on", details: values });
      return [decision, decidedBy, reason];
    });
    await call(() =>
      ctx.step(`fails ${round}`, () => Promise.reject(new Error("as told"))).catch((error: Error) => error.message),
    );
    await call(async () => typeof (await ctx.enqueue("app.long-child", { n: 100 })).jobId);
    await call(() => ctx.waitFor("never", { timeout: "5ms" }));
    await step(`last ${round}`);
  }
  return values;
}
