import { appendFileSync } from "node:fs";
import { z } from "zod";
import { pause, systemClock } from "../../clock.ts";
import { defineJob } from "../../job/definition.ts";

/**
 * The demonstration's own job types. Each handler appends to a ledger before and after its work: the ledger is written by
 * the jobs and the database by the engine, so each can be held against the other.
 */
const Step = z.strictObject({
  ledger: z.string(),
  item: z.string(),
  work_ms: z.int().min(0),
  /** Fails this many attempts before it succeeds. */
  fails: z.int().min(0).default(0),
});

/** Counts something, slowly; some fail the first time. */
export const countSheep = defineJob({
  name: "demo.count-sheep",
  input: Step,
  result: z.strictObject({ item: z.string(), attempt: z.int() }),
  backoff: { first: "200ms" },
  run: async ({ ledger, item, work_ms, fails }, ctx) => {
    note(ledger, "start", item, ctx.attempt);
    await pause(systemClock, work_ms, ctx.signal);
    ctx.signal.throwIfAborted();
    if (ctx.attempt <= fails) throw new RangeError(`the sheep of ${item} moved; attempt ${ctx.attempt} lost count`);
    note(ledger, "end", item, ctx.attempt);
    return { item, attempt: ctx.attempt };
  },
});

/** One at a time for each desk, whoever asks. */
export const fillForm = defineJob({
  name: "demo.fill-form",
  input: Step.extend({ desk: z.string() }),
  result: z.strictObject({ item: z.string() }),
  locks: ["desk:<desk>"],
  run: async ({ ledger, item, desk, work_ms }, ctx) => {
    note(ledger, "start", item, ctx.attempt, desk);
    await pause(systemClock, work_ms, ctx.signal);
    ctx.signal.throwIfAborted();
    await ctx.keep("form.json", JSON.stringify({ item, desk, attempt: ctx.attempt }));
    note(ledger, "end", item, ctx.attempt, desk);
    return { item };
  },
});

function note(ledger: string, what: string, item: string, attempt: number, desk = ""): void {
  appendFileSync(ledger, `${JSON.stringify({ what, item, attempt, desk, pid: process.pid, at: Date.now() })}\n`);
}
