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
  const doomed = await bench.spawn();
  // It dies under the first two attempts, so the third is on probation.
  const poison = await bench.submit("app.work", { name: "poison", dies: 2 });
  await doomed.exit();
  await (await bench.spawn()).exit();
  await bench.worker({ concurrency: 1 });
  expect(await bench.settled(poison)).toMatchObject({ state: "completed", crashes: 2 });
  const before = claims();
  const names = Array.from({ length: 20 }, (_, n) => `n${n}`);
  for (const name of names) await bench.settled(await bench.submit("app.work", { name }));
  const [first, ...ordinary] = claims().slice(before.length);
  expect([...before, first].map((claim) => [claim?.synchronous, ...(claim?.crashes ?? [])])).toEqual([
    // The first after a start, though nothing was there to claim when it started.
    [2, 0],
    [2, 1],
    [2, 2],
    [2, 0],
  ]);
  // One that shares a commit with the end of the job before it waits with that.
  expect(ordinary.filter(({ synchronous }) => synchronous === 1).length).toBeGreaterThan(5);
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

/** Puts many jobs like one that waits beside it, with its rank and earlier ones. */
function multiply(path: string, count: number): void {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
  db.exec(`BEGIN IMMEDIATE;
    CREATE TEMP TABLE one AS SELECT r.*, j.rules, j.actor, j.due, j.env FROM ready r JOIN job j ON j.id = r.job;
    INSERT INTO job (id, queue, rules, actor, rank, due, env)
      ${numbers} SELECT job - i, queue, rules, actor, rank - i, due, env FROM one, n;
    INSERT INTO ready (queue, rank, job, run, attempt, failures, crashes, recover)
      ${numbers} SELECT queue, rank - i, job - i, run, attempt, failures, crashes, recover FROM one, n;
    COMMIT`);
  db.close();
}

test("jobs of other types cost a claim nothing, however many stand before it", async ({ open }) => {
  const types = [{ name: "app.foreign" }, { name: "app.work" }];
  const bench = await open({ types, config: { "worker.tick": "10s" }, unchecked: true });
  await bench.submit("app.foreign", { name: "foreign" });
  multiply(bench.databasePath, 300_000);
  await bench.spawn({ types: [{ name: "app.work" }] });
  const waits: number[] = [];
  for (let n = 0; n < 40; n++) {
    const { queuedAtMs } = await bench.settled(await bench.submit("app.work", { name: `n${n}` }));
    waits.push((await bench.effects.seen(`n${n}`, "start")).atMs - queuedAtMs);
  }
  // The quickest quarter: this machine may have other things to do. Looking at them all takes some ten milliseconds.
  expect(waits.sort((a, b) => a - b)[9]).toBeLessThanOrEqual(bench.backend.capabilities.startMs);
  expect(bench.effects.order("start").includes("foreign")).toBe(false);
});
