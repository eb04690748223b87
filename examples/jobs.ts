// Job types of your own: retries, keys, progress, kept files, secrets.
// Run all of it:    node examples/jobs.ts
// Or one of them:   windlass run shop.report --jobs examples/jobs.ts --input-json '{"customer":"ada","orders":[3,4]}'
import { createHmac } from "node:crypto";
import { defineJob, openWindlass, secretText } from "windlass";
import { z } from "zod";

/** Adds up orders; one report of a customer at a time. */
export const report = defineJob({
  name: "shop.report",
  input: z.strictObject({ customer: z.string(), orders: z.array(z.int()).min(1) }),
  result: z.strictObject({ total: z.int(), file: z.string() }),
  timeout: { default: "1m" },
  retries: 2,
  backoff: { first: "50ms" },
  concurrency: [{ key: "customer", limit: 1 }],
  async run({ customer, orders }, ctx) {
    // The list of prices is not always there. What is thrown is tried again, and `attempt` says how often it was.
    if (ctx.attempt === 1) throw new Error("the list of prices does not answer");
    let total = 0;
    // `windlass jobs status JOB --watch` shows it.
    for (const [index, order] of orders.entries()) {
      total += order;
      ctx.progress({ done: index + 1, total: orders.length, message: `order ${index + 1}` });
    }
    // Kept with its SHA-256: `windlass artifacts list JOB` names it.
    const { path } = await ctx.keep("report/total.txt", `${customer}: ${total}\n`);
    return { total, file: path };
  },
});

/** Signs a text with a key that is stored nowhere: the input holds its name, the worker's environment the key. */
export const sign = defineJob({
  name: "shop.sign",
  input: z.strictObject({ text: z.string(), key: secretText() }),
  result: z.strictObject({ signature: z.string() }),
  secrets: ["SHOP_KEY"],
  // It changes nothing outside, so it may run again after a crash. Say "stop" or "check" where that would do harm.
  afterCrash: "rerun",
  run: ({ text, key }) => ({ signature: createHmac("sha256", key).update(text).digest("hex") }),
});

if (import.meta.main) {
  process.env["SHOP_KEY"] ??= "only an example";
  await using windlass = await openWindlass({ jobs: [report, sign] });
  await windlass.startWorker({ concurrency: 2 });

  // The same key is the same job: run this twice on a day, and the second time gets the first one's result.
  const day = new Date().toISOString().slice(0, 10);
  const { jobId, existing } = await windlass.submit(
    report,
    { customer: "ada", orders: [3, 4, 5] },
    { idempotencyKey: `ada/${day}`, metadata: { customer: "ada" } },
  );
  const { state, attempt, result } = await windlass.wait(jobId);
  console.log(`report (${existing ? "from before" : "new"}): ${state} in attempt ${attempt}`, result);

  const { signature } = await windlass.runAndWait(sign, { text: "total 12", key: { $secret: "SHOP_KEY" } });
  console.log(`signature: ${signature.length} digits`);
}
