import { DatabaseSync } from "node:sqlite";
import { describe, expect } from "vitest";
import { z } from "zod";
import { test } from "../../test/support/library.ts";
import { defineJob, type EmbeddedClient, type Enqueue, type UserTransaction, type WindlassClient } from "../index.ts";

const ship = defineJob({
  name: "shop.ship",
  input: z.strictObject({ order: z.int() }),
  run: ({ order }) => `shipped ${order}`,
});

async function shop(client: WindlassClient): Promise<EmbeddedClient> {
  const { embedded } = client;
  if (embedded === undefined) throw new Error("this backend has no transactions");
  await embedded.enqueueWith((db) =>
    db.run("CREATE TABLE IF NOT EXISTS shop_order (id INTEGER PRIMARY KEY, item TEXT)"),
  );
  return embedded;
}

/** As another program sees it. */
function orders(path: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db
      .prepare("SELECT id, item FROM shop_order ORDER BY id")
      .all()
      .map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}

const insert = (db: UserTransaction, item: string): number =>
  Number(db.run("INSERT INTO shop_order (item) VALUES (?)", item).lastInsertRowid);

describe("enqueueWith", () => {
  test("the user's row and the job commit together", async ({ open }) => {
    const client = await open({ jobs: [ship] });
    const embedded = await shop(client);
    const { order, job } = await embedded.enqueueWith((db, enqueue) => {
      const id = insert(db, "lamp");
      expect(db.get<{ item: string }>("SELECT item FROM shop_order WHERE id = ?", id)?.item).toBe("lamp");
      return { order: id, job: enqueue(ship, { order: id }, { metadata: { order: `${id}` } }) };
    });
    expect(orders(embedded.path)).toEqual([{ id: order, item: "lamp" }]);
    expect(job).toMatchObject({ state: "queued", existing: false, queuedAt: expect.any(Date) });
    await client.startWorker();
    expect((await client.wait(job.jobId)).result).toBe(`shipped ${order}`);
  });

  test("both are undone when the function throws, and the error is its own", async ({ open }) => {
    const client = await open({ jobs: [ship] });
    const embedded = await shop(client);
    const stop = new Error("out of stock");
    await expect(
      embedded.enqueueWith((db, enqueue) => {
        enqueue(ship, { order: insert(db, "lamp") });
        throw stop;
      }),
    ).rejects.toBe(stop);
    expect(orders(embedded.path)).toEqual([]);
    expect((await client.list()).jobs).toEqual([]);
  });

  test("a job that is refused undoes the rows too", async ({ open }) => {
    const client = await open({ jobs: [ship] });
    const embedded = await shop(client);
    const refused: readonly (readonly [(enqueue: Enqueue) => unknown, string, string])[] = [
      [(enqueue) => enqueue("shop.ship", { order: "one" }), "INVALID_INPUT", "input.order"],
      [(enqueue) => enqueue("shop.shipp", {}), "UNKNOWN_JOB_TYPE", "did you mean shop.ship?"],
      [(enqueue) => enqueue(ship, { order: 1 }, { delay: 0 }), "INVALID_DURATION", "delay"],
      [(enqueue) => enqueue(ship, { order: 1 }, { dellay: "1s" } as object), "INVALID_INPUT", "did you mean delay?"],
    ];
    for (const [act, code, words] of refused)
      await expect(
        embedded.enqueueWith((db, enqueue) => {
          insert(db, "lamp");
          act(enqueue);
        }),
      ).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(orders(embedded.path)).toEqual([]);
  });

  test("an error that the function catches undoes nothing else", async ({ open }) => {
    const client = await open({ jobs: [ship] });
    const embedded = await shop(client);
    await embedded.enqueueWith((db, enqueue) => {
      insert(db, "lamp");
      try {
        enqueue("shop.ship", {});
      } catch {
        insert(db, "chair");
      }
    });
    expect(orders(embedded.path)).toHaveLength(2);
    expect((await client.list()).jobs).toEqual([]);
  });

  test("the same key gives the first job back", async ({ open }) => {
    const client = await open({ jobs: [ship] });
    const embedded = await shop(client);
    const enqueueOnce = () =>
      embedded.enqueueWith((_, enqueue) => enqueue(ship, { order: 1 }, { idempotencyKey: "order-1" }));
    const first = await enqueueOnce();
    expect(await enqueueOnce()).toMatchObject({ jobId: first.jobId, existing: true });
  });

  test("a type that is not loaded is refused even where a worker published it", async ({ open }) => {
    const worker = await open({ jobs: [ship] });
    await worker.startWorker();
    const embedded = await shop(await open());
    await expect(embedded.enqueueWith((_, enqueue) => enqueue("shop.ship", { order: 1 }))).rejects.toMatchObject({
      code: "UNKNOWN_JOB_TYPE",
      message: expect.stringContaining("openWindlass({ jobs: [...] })"),
    });
  });

  test("a function that waits is refused, and what it wrote is undone", async ({ open }) => {
    const client = await open({ jobs: [ship] });
    const embedded = await shop(client);
    const later = Promise.withResolvers<unknown>();
    const waits = async (db: UserTransaction, enqueue: Enqueue): Promise<void> => {
      insert(db, "lamp");
      enqueue(ship, { order: 1 });
      await Promise.resolve();
      try {
        insert(db, "chair");
      } catch (error) {
        later.resolve(error);
      }
    };
    await expect(embedded.enqueueWith(waits as () => unknown)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("synchronous"),
    });
    expect(await later.promise).toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("is over") });
    expect(orders(embedded.path)).toEqual([]);
    expect((await client.list()).jobs).toEqual([]);
  });

  test("statements that would end the transaction are refused", async ({ open }) => {
    const embedded = await shop(await open());
    for (const sql of ["COMMIT", " rollback", "BEGIN", "PRAGMA user_version=5", "ATTACH 'x' AS y", "VACUUM"])
      await expect(embedded.enqueueWith((db) => db.run(sql))).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("many at once share commits, each all or nothing", async ({ open }) => {
    const client = await open({ jobs: [ship] });
    const embedded = await shop(client);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        embedded.enqueueWith((db, enqueue) => {
          enqueue(ship, { order: insert(db, `item ${index}`) });
          if (index % 4 === 0) throw new Error("odd");
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(30);
    expect(orders(embedded.path)).toHaveLength(30);
    expect((await client.list()).jobs).toHaveLength(30);
  });
});
