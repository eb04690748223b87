// A job that waits: for time, for an event, for another job. Run it: node examples/durable.ts
// It is killed in the middle on purpose (its worker stops), and goes on in another worker where it was.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineDurableJob, defineJob, openWindlass } from "windlass";
import { z } from "zod";

const pack = defineJob({
  name: "shop.pack",
  input: z.strictObject({ order: z.int() }),
  result: z.string(),
  run: ({ order }) => `parcel of order ${order}`,
});

/** What the steps did, to show that none did it twice. */
const did: string[] = [];

export const order = defineDurableJob({
  name: "shop.order",
  input: z.strictObject({ order: z.int() }),
  result: z.string(),
  async run({ order: id }, ctx) {
    // Recorded before the next line runs: it is not done again. `stepKey` goes to a service that knows idempotency keys.
    const reserved = await ctx.step("reserve", ({ stepKey }) => {
      did.push("reserve");
      return { item: "lamp", key: stepKey.length };
    });
    // Days would do as well: a waiting job is one row and holds no slot.
    await ctx.sleep("50ms");
    const paid = await ctx.waitFor("order.paid", {
      match: { order: id },
      schema: z.object({ order: z.int(), by: z.string() }),
      timeout: "14d",
    });
    if (paid === undefined) return `order ${id}: never paid`;
    const parcel = await ctx.run(pack, { order: id });
    await ctx.step("send", () => void did.push("send"), { retries: 3, backoff: { first: "1s" } });
    return `${parcel} (${reserved.item}), paid by ${paid.by}`;
  },
});

if (import.meta.main) {
  const db = join(mkdtempSync(join(tmpdir(), "shop-")), "shop.db");
  await using windlass = await openWindlass({ db, jobs: [order, pack] });
  const first = await windlass.startWorker();
  const { jobId } = await windlass.submit(order, { order: 7 });
  while ((await windlass.status(jobId))?.state !== "waiting") await new Promise((resolve) => setTimeout(resolve, 10));
  await first.stop({ grace: 0 });

  await windlass.startWorker();
  await windlass.emit("order.paid", { order: 7, by: "ada" }, { eventId: "payment-1" });
  console.log((await windlass.wait(jobId)).result);
  console.log(`steps: ${did.join(", ")}`);
}
