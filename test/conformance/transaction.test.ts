import { expect } from "vitest";
import type { EmbeddedBackend } from "../../src/backend/embedded/embedded.ts";
import { type Bench, TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work" };

/** The user's own rows and an enqueue, where the backend can commit them together. */
async function opened(bench: Bench): Promise<EmbeddedBackend | undefined> {
  const { embedded, submit } = bench.windlass;
  if (!bench.backend.capabilities.transaction || embedded === undefined) return undefined;
  await submit.load("app.work");
  await embedded.enqueueWith((db) => db.run("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, job TEXT)"));
  return embedded;
}

conformance("enqueueWith", (test) => {
  test("the user's rows and the enqueue commit together", async ({ open, skip }) => {
    const bench = await open({ types: [work] });
    const embedded = await opened(bench);
    if (embedded === undefined) return skip("this backend has no transaction");
    await bench.worker();
    const id = await embedded.enqueueWith((db, accept) => {
      const request = { type: "app.work", input: { name: "order" }, options: {}, actor: TESTER };
      const { jobId } = accept(bench.windlass.submit.prepare(request));
      db.run("INSERT INTO orders (id, job) VALUES (?, ?)", 7, jobId);
      // It reads its own writes.
      expect(db.get("SELECT job FROM orders WHERE id = 7")).toEqual({ job: jobId });
      return jobId;
    });
    expect((await bench.settled(id)).state).toBe("completed");
    expect(await embedded.enqueueWith((db) => db.all("SELECT * FROM orders"))).toEqual([{ id: 7, job: id }]);
  });

  test("they roll back together, and calls that share the commit are not touched", async ({ open, skip }) => {
    const bench = await open({ types: [work] });
    const embedded = await opened(bench);
    if (embedded === undefined) return skip("this backend has no transaction");
    const request = { type: "app.work", input: { name: "order" }, options: {}, actor: TESTER };
    const [failed, other] = await Promise.allSettled([
      embedded.enqueueWith((db, accept) => {
        db.run("INSERT INTO orders (id) VALUES (1)");
        accept(bench.windlass.submit.prepare(request));
        throw new Error("changed my mind");
      }),
      bench.submit("app.work", { name: "other" }),
    ]);
    expect(failed).toMatchObject({ status: "rejected", reason: new Error("changed my mind") });
    expect(other.status).toBe("fulfilled");
    expect(await embedded.enqueueWith((db) => db.all("SELECT * FROM orders"))).toEqual([]);
    expect((await bench.backend.list({ limit: 9 })).jobs.length).toBe(1);
  });

  test("what would end the shared transaction, or cannot wait for it, is refused", async ({ open, skip }) => {
    const bench = await open({ types: [work] });
    const embedded = await opened(bench);
    if (embedded === undefined) return skip("this backend has no transaction");
    for (const sql of [
      "COMMIT",
      "  rollback",
      "-- harmless\nCOMMIT",
      "/* a */ /* b */ ROLLBACK",
      ";COMMIT",
      "BEGIN",
      "SAVEPOINT a",
      "RELEASE mutation",
      "PRAGMA synchronous=OFF",
      "ATTACH 'x' AS y",
      "VACUUM",
    ])
      await expect(
        embedded.enqueueWith((db) => db.run(sql)),
        sql,
      ).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(
      embedded.enqueueWith(async (db) => db.run("INSERT INTO orders (id) VALUES (2)")),
    ).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await embedded.enqueueWith((db) => db.all("SELECT * FROM orders"))).toEqual([]);
    await bench.submit("app.work", { name: "still-works" });
  });

  test("a failing statement of the user's leaves the backend whole", async ({ open, skip }) => {
    const bench = await open({ types: [work] });
    const embedded = await opened(bench);
    if (embedded === undefined) return skip("this backend has no transaction");
    await expect(embedded.enqueueWith((db) => db.run("INSERT INTO nowhere VALUES (1)"))).rejects.toThrow("nowhere");
    await embedded.enqueueWith((db) => db.run("INSERT INTO orders (id) VALUES (3)"));
    await expect(embedded.enqueueWith((db) => db.run("INSERT INTO orders (id) VALUES (3)"))).rejects.toThrow("UNIQUE");
    await bench.submit("app.work", { name: "still-works" });
  });
});
