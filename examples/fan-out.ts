// A thousand jobs from one, a hundred at a time, and their sum. Run it: node examples/fan-out.ts
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineDurableJob, defineJob, openWindlass } from "windlass";
import { z } from "zod";

const TOTAL = 1_000;
const BATCH = 100;

const square = defineJob({
  name: "app.square",
  input: z.strictObject({ n: z.int() }),
  result: z.int(),
  run: ({ n }) => n * n,
});

const sumOfSquares = defineDurableJob({
  name: "app.sum-of-squares",
  input: z.strictObject({ from: z.int().default(1), sum: z.int().default(0) }),
  result: z.int(),
  async run({ from, sum }, ctx) {
    const numbers = Array.from({ length: BATCH }, (_, index) => from + index);
    // The children of one batch run at once, on every worker that there is; each result is recorded.
    const results = await ctx.all(
      Object.fromEntries(numbers.map((n) => [`square ${n}`, () => ctx.run(square, { n })])),
    );
    const next = { from: from + BATCH, sum: Object.values(results).reduce((a, b) => a + b, sum) };
    await ctx.step("say", () => console.log(`${next.from - 1} of ${TOTAL}: ${next.sum}`));
    // Ends the log of this batch; the next one begins with an empty one, so the record never grows long.
    return next.from > TOTAL ? next.sum : ctx.continueAs(next);
  },
});

const db = join(mkdtempSync(join(tmpdir(), "fan-out-")), "windlass.db");
await using windlass = await openWindlass({ db, jobs: [square, sumOfSquares] });
await windlass.startWorker({ concurrency: 20 });
console.log(`the sum is ${await windlass.runAndWait(sumOfSquares, {})}`);
