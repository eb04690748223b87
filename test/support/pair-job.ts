import { z } from "zod";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";

/** Waits twice for the events of its round: one that is lost is missed, and one that is given twice is the second answer too. */
export const pairJob = defineDurableJob({
  name: "app.pair",
  input: z.strictObject({ n: z.int() }),
  result: z.unknown(),
  async run({ n }, ctx) {
    const match = { match: { n } };
    await ctx.step("turns", () => turns(n % 7));
    return [await ctx.waitFor("go", match), await ctx.waitFor("go", match)];
  },
});

/** Turns of the event loop: the smallest step in which one thing comes before another. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
