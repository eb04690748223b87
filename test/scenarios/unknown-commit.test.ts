import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { EMBEDDED, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);

/** What a claim leaves whose commit reached the disk and whose worker was told that nobody knows. */
function claimUnknowingly(path: string): void {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  db.exec("BEGIN IMMEDIATE");
  const row = db.prepare("SELECT job, run, attempt, failures, crashes FROM ready").get() as Record<string, number>;
  const { job, run, attempt = 0, failures, crashes } = row;
  db.exec("DELETE FROM ready");
  const lease = db.prepare("INSERT INTO lease (epoch, worker, at, jobs) VALUES (?, 1, ?, ?)");
  lease.run(900_000_000, Date.now(), JSON.stringify([[job, run, attempt + 1, failures, crashes]]));
  db.exec("COMMIT");
  db.close();
}

test("a job that a worker claimed without knowing it is given back while the worker lives", async ({ open }) => {
  const bench = await open({ types: [{ name: "app.work" }] });
  await bench.worker({ concurrency: 1 });
  const first = await bench.submit("app.work", { name: "first", hold: true });
  await bench.effects.seen("first", "start");
  const second = await bench.submit("app.work", { name: "second" });
  claimUnknowingly(bench.databasePath);
  await bench.reaches(second, ({ state, attempt }) => state === "queued" && attempt === 1);
  bench.effects.release("first");
  expect(await bench.settled(first)).toMatchObject({ state: "completed", attempt: 1 });
  expect(await bench.settled(second)).toMatchObject({ state: "completed", attempt: 2, crashes: 0, failures: 0 });
});

test("a worker that stops gives back also what it holds without knowing it", async ({ open }) => {
  const bench = await open({ types: [{ name: "app.work" }], config: { "worker.tick": "10s" } });
  const worker = await bench.worker({ concurrency: 1 });
  const first = await bench.submit("app.work", { name: "first", hold: true });
  await bench.effects.seen("first", "start");
  const second = await bench.submit("app.work", { name: "second" });
  claimUnknowingly(bench.databasePath);
  bench.effects.release("first");
  await bench.settled(first);
  await worker.stop({ graceMs: 1_000 });
  expect((await bench.status(second)).state).toBe("queued");
  await bench.worker();
  expect((await bench.settled(second)).state).toBe("completed");
});
