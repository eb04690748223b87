import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { type Bench, EMBEDDED, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);

/** A claim as the database saw it while it was made. */
interface SeenClaim {
  /** Of whoever made it, in that moment: 1 may be lost with the machine's power, 2 waits for the disk. */
  readonly synchronous: number;
  readonly epoch: number;
  readonly crashes: readonly number[];
}

/** Lets the database note each lease with the durability of the connection that writes it. */
async function watchClaims(bench: Bench): Promise<() => readonly SeenClaim[]> {
  await bench.windlass.embedded?.enqueueWith((db) => {
    db.run("CREATE TABLE seen (synchronous INTEGER, epoch INTEGER, jobs TEXT)");
    db.run(`CREATE TRIGGER see AFTER INSERT ON lease BEGIN
      INSERT INTO seen SELECT (SELECT synchronous FROM pragma_synchronous), new.epoch, new.jobs; END`);
  });
  return () => {
    const db = new DatabaseSync(bench.databasePath, { readOnly: true, timeout: 5_000 });
    const rows = db.prepare("SELECT synchronous, epoch, jobs FROM seen ORDER BY rowid").all();
    db.close();
    return rows.map(({ synchronous, epoch, jobs }) => ({
      synchronous: Number(synchronous),
      epoch: Number(epoch),
      crashes: (JSON.parse(String(jobs)) as number[][]).map((job) => job[4] ?? 0),
    }));
  };
}

test("a claim waits for the disk where its job may bring the machine down, and an ordinary one does not", async ({
  open,
}) => {
  const bench = await open({ types: [{ name: "app.work" }] });
  const claims = await watchClaims(bench);
  const first = await bench.spawn();
  // It dies under the first two attempts, so the third is on probation.
  const poison = await bench.submit("app.work", { name: "poison", dies: 2 });
  await first.exit();
  await (await bench.spawn()).exit();
  await bench.worker({ concurrency: 1 });
  expect(await bench.settled(poison)).toMatchObject({ state: "completed", crashes: 2 });
  for (const name of ["first", "second", "third"]) await bench.settled(await bench.submit("app.work", { name }));
  expect(claims().map(({ synchronous, crashes }) => [synchronous, ...crashes])).toEqual([
    // The first after a start, though nothing was there to claim when it started.
    [2, 0],
    [2, 1],
    [2, 2],
    [2, 0],
    [1, 0],
    [1, 0],
  ]);
});

test("a job that its workers died of is claimed under a lease of its own, and the others of its batch together", async ({
  open,
}) => {
  const bench = await open({ types: [{ name: "app.work" }] });
  const claims = await watchClaims(bench);
  const lost = await bench.spawn();
  const ids = await Promise.all(["a", "b", "c"].map((name) => bench.submit("app.work", { name, holds: 1 })));
  await Promise.all(["a", "b", "c"].map((name) => bench.effects.seen(name, "start")));
  await lost.kill();
  const before = claims().length;
  await bench.worker();
  for (const id of ids) expect((await bench.settled(id)).state).toBe("completed");
  expect(claims().slice(before)).toMatchObject([{ crashes: [1] }, { crashes: [1] }, { crashes: [1] }]);
});

test("an epoch is given out once, whatever dies with those that it had taken", async ({ open }) => {
  const bench = await open({ types: [{ name: "app.work" }] });
  const claims = await watchClaims(bench);
  for (let round = 0; round < 3; round++) {
    const worker = await bench.spawn();
    await bench.settled(await bench.submit("app.work", { name: `before-${round}` }));
    const held = await bench.submit("app.work", { name: `held-${round}`, holds: 1 });
    await bench.effects.seen(`held-${round}`, "start");
    await worker.kill();
    const own = await bench.worker();
    await bench.settled(held);
    await own.stop({ graceMs: 0 });
  }
  const epochs = claims().map(({ epoch }) => epoch);
  expect(epochs.length).toBeGreaterThanOrEqual(9);
  expect(new Set(epochs).size).toBe(epochs.length);
});
