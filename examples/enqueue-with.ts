// A row of your own table and a job in one commit, or neither. Run it: node examples/enqueue-with.ts
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob, openWindlass } from "windlass";
import { z } from "zod";

const ship = defineJob({
  name: "shop.ship",
  input: z.strictObject({ order: z.int() }),
  result: z.string(),
  run: ({ order }) => `order ${order} is on its way`,
});

// Your tables and Windlass's jobs are in the same SQLite file.
const db = join(mkdtempSync(join(tmpdir(), "shop-")), "shop.db");
await using windlass = await openWindlass({ db, jobs: [ship] });
const { embedded } = windlass;
if (embedded === undefined) throw new Error("only the embedded backend has transactions");
await embedded.enqueueWith((tables) =>
  tables.run("CREATE TABLE shop_order (id INTEGER PRIMARY KEY, item TEXT NOT NULL)"),
);

/** The function must not wait: other calls share its transaction. */
const order = (item: string, inStock: boolean) =>
  embedded.enqueueWith((tables, enqueue) => {
    const { lastInsertRowid } = tables.run("INSERT INTO shop_order (item) VALUES (?)", item);
    const job = enqueue(ship, { order: Number(lastInsertRowid) });
    if (!inStock) throw new Error(`${item}: out of stock`);
    return job;
  });

const { jobId } = await order("lamp", true);
await order("chair", false).catch((error: Error) => console.log(`undone: ${error.message}`));

const items = await embedded.enqueueWith((tables) => tables.all<{ item: string }>("SELECT item FROM shop_order"));
const { jobs } = await windlass.list({ type: ship });
console.log(`orders: ${items.map(({ item }) => item).join(", ")}; jobs: ${jobs.length}`);

await windlass.startWorker();
console.log((await windlass.wait(jobId)).result);
