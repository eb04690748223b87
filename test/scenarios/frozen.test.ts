import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { EMBEDDED, SHORT_LEASE, testOn } from "../support/test.ts";
import { until } from "../support/until.ts";

const test = testOn(EMBEDDED);
const work = { name: "app.work" };
const other = { name: "app.other" };

test.concurrent("a worker frozen beyond its lease: another finishes its job, its late result is refused and its signal fires", async ({
  open,
}) => {
  const bench = await open({ types: [work], config: SHORT_LEASE });
  const frozen = await bench.spawn();
  const deaf = await bench.submit("app.work", { name: "deaf", holds: 1, deaf: true });
  const listens = await bench.submit("app.work", { name: "listens", holds: 1 });
  await Promise.all(["deaf", "listens"].map((name) => bench.effects.seen(name, "start")));
  await bench.freeze(frozen);
  const worker = await bench.worker();
  for (const id of [deaf, listens])
    expect(await bench.settled(id)).toMatchObject({
      state: "completed",
      attempt: 2,
      crashes: 0,
      result: { attempt: 2 },
    });
  expect(await bench.events(deaf)).toEqual(["job.queued", "lease.reclaimed", "job.claimed", "job.completed"]);
  expect((await bench.backend.history(deaf))[1]?.data).toMatchObject({
    reason: "expired",
    became: "again",
    attempt: 1,
  });
  const before = await Promise.all([deaf, listens].map((id) => bench.status(id)));
  bench.effects.release("deaf");
  frozen.thaw();
  expect((await bench.effects.seen("listens", "stopped")).reason).toBe("lease_lost");
  // The handler of the late one came to its end, and nobody took its result.
  await bench.effects.seen("deaf", "end", 2);
  expect(await Promise.all([deaf, listens].map((id) => bench.status(id)))).toEqual(before);
  expect(frozen.told.filter(({ event }) => event?.kind === "completed")).toEqual([]);
  // It is as good as any other worker again.
  await worker.stop({ graceMs: 0 });
  const next = await bench.submit("app.work", { name: "next" });
  expect((await bench.settled(next)).state).toBe("completed");
});

test.concurrent("a worker that claims its own lost job again runs it beside the late attempt, and records the new one", async ({
  open,
}) => {
  const bench = await open({ types: [work, other], config: SHORT_LEASE });
  const frozen = await bench.spawn({ types: [work] });
  const id = await bench.submit("app.work", { name: "a", hold: true, deaf: true });
  await bench.effects.seen("a", "start");
  await bench.freeze(frozen);
  // Serves another type: it takes the job away and cannot run it.
  await bench.spawn({ types: [other] });
  await bench.reaches(id, ({ state }) => state === "queued");
  frozen.thaw();
  await bench.effects.seen("a", "start", 2);
  // Long enough for it to look at its leases several times.
  await bench.settled(await bench.submit("app.work", { name: "later" }, { delay: 200 }));
  expect(bench.effects.of("a", "stopped").map(({ attempt }) => attempt)).toEqual([1]);
  bench.effects.release("a");
  expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2, crashes: 0 });
  await bench.effects.seen("a", "end", 2);
  const next = await bench.submit("app.work", { name: "next" });
  expect((await bench.settled(next)).state).toBe("completed");
  frozen.send("SIGTERM");
  expect(await frozen.exit()).toEqual({ code: 0, signal: null });
});

test.concurrent("a lost attempt that holds on is told so also while its worker runs the same job again", async ({
  open,
}) => {
  const bench = await open({ types: [work, other], config: SHORT_LEASE });
  const frozen = await bench.spawn({ types: [work] });
  const id = await bench.submit("app.work", { name: "a", hold: true });
  await bench.effects.seen("a", "start");
  await bench.freeze(frozen);
  await bench.spawn({ types: [other] });
  await bench.reaches(id, ({ state }) => state === "queued");
  frozen.thaw();
  expect((await bench.effects.seen("a", "stopped")).attempt).toBe(1);
  await bench.effects.seen("a", "start", 2);
  bench.effects.release("a");
  expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2 });
  expect(bench.effects.of("a", "stopped").map(({ attempt, reason }) => `${attempt} ${reason}`)).toEqual([
    "1 lease_lost",
  ]);
});

test.concurrent("who slept itself takes nothing from those who slept with it", async ({ open }) => {
  // Long enough for one of them to do a job before the other wakes, on a busy machine too.
  const bench = await open({ types: [work], config: { "worker.lease": "4s" } });
  const [one, two] = await Promise.all([bench.spawn({ concurrency: 1 }), bench.spawn({ concurrency: 1 })]);
  const id = await bench.submit("app.work", { name: "a", hold: true });
  const { pid } = await bench.effects.seen("a", "start");
  const [runner, watcher] = one.pid === pid ? [one, two] : [two, one];
  await Promise.all([bench.freeze(runner), bench.freeze(watcher)]);
  const sleptMs = Date.now();
  await until(() => (Date.now() - sleptMs > 4_500 ? true : undefined), { what: "a sleep beyond the lease" });
  watcher.thaw();
  const watched = await bench.submit("app.work", { name: "watched" });
  await bench.settled(watched);
  runner.thaw();
  bench.effects.release("a");
  expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 1 });
});

test.concurrent("a result that comes before its worker has noticed the loss is refused by the fence", async ({
  open,
}) => {
  const bench = await open({ types: [work, other], config: { "worker.lease": "5m", "worker.tick": "10s" } });
  const worker = await bench.worker();
  const id = await bench.submit("app.work", { name: "a", holds: 1, deaf: true });
  await bench.effects.seen("a", "start");
  await bench.spawn({ types: [other], flags: { "worker.tick": "50ms" } });
  const db = new DatabaseSync(bench.databasePath, { timeout: 5_000 });
  await until(
    () => {
      // As after a long sleep: its last sign of life is older than its lease.
      db.exec("UPDATE worker SET beat_mono = -1e12 WHERE id = 1");
      return db.prepare("SELECT 1 FROM history WHERE event = 'lease.reclaimed'").get();
    },
    { what: "another takes the job away" },
  );
  db.close();
  bench.effects.release("a");
  const done = await bench.settled(id);
  // On a busy machine the other may take it away once more before the worker has renewed its lease.
  expect(done.attempt).toBeGreaterThan(1);
  expect(done).toMatchObject({ state: "completed", crashes: 0, result: { attempt: done.attempt } });
  await until(() => worker.events.find((event) => event.kind === "released"), { what: "a refusal" });
  expect(worker.events).toContainEqual(
    expect.objectContaining({ kind: "released", attempt: 1, error: expect.objectContaining({ code: "LEASE_LOST" }) }),
  );
});
