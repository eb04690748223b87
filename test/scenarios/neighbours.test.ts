import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { EMBEDDED, TESTER, testOn } from "../support/test.ts";
import { until } from "../support/until.ts";

const test = testOn(EMBEDDED);
const work = { name: "app.work", backoff: { first: "10ms", jitter: 0 } };
/** So seldom that nothing here is found by the poll. */
const seldom = { "worker.tick": "10s" } as const;
/** Sooner than by the poll, also where the machine has other things to do. */
const AT_ONCE_MS = 5_000;

test("an idle worker learns of another process's job within milliseconds, and not by its poll", async ({ open }) => {
  const bench = await open({ types: [work], config: seldom });
  await bench.spawn();
  const waits: number[] = [];
  for (let n = 0; n < 15; n++) {
    const id = await bench.submit("app.work", { name: `n${n}` });
    const ackedMs = Date.now();
    const start = await bench.effects.seen(`n${n}`, "start");
    waits.push(start.atMs - ackedMs);
    await bench.settled(id);
  }
  waits.sort((a, b) => a - b);
  // The quickest quarter: this machine may have other things to do.
  expect(waits[3], `${waits}`).toBeLessThan(50);
});

test("a delay, a cancel and a replay by one process are noticed by the other at once", async ({ open }) => {
  const bench = await open({ types: [work], config: seldom });
  await bench.spawn();
  const delayed = await bench.submit("app.work", { name: "delayed" }, { delay: 150 });
  const { dueAtMs } = await bench.status(delayed);
  const start = await bench.effects.seen("delayed", "start");
  expect(start.atMs).toBeGreaterThanOrEqual(dueAtMs);
  expect(start.atMs).toBeLessThan(dueAtMs + AT_ONCE_MS);
  const held = await bench.submit("app.work", { name: "held", hold: true });
  await bench.effects.seen("held", "start");
  await bench.cancel(held);
  expect((await bench.settled(held, AT_ONCE_MS)).state).toBe("cancelled");
  await bench.settled(delayed);
  await bench.replay(delayed);
  expect(await bench.settled(delayed, AT_ONCE_MS)).toMatchObject({ runNumber: 2, state: "completed" });
});

test("a key that one process frees lets another process's job in at once", async ({ open }) => {
  const bench = await open({ types: [{ ...work, concurrency: [{ key: "key", limit: 1 }] }], config: seldom });
  await bench.spawn({ concurrency: 1 });
  await bench.spawn({ concurrency: 1 });
  const first = await bench.submit("app.work", { name: "first", key: "k", hold: true });
  await bench.effects.seen("first", "start");
  const second = await bench.submit("app.work", { name: "second", key: "k" });
  bench.effects.release("first");
  await bench.settled(first, AT_ONCE_MS);
  expect((await bench.settled(second, AT_ONCE_MS)).state).toBe("completed");
});

test("everything that is written is its owner's alone", async ({ open }) => {
  const bench = await open({ types: [work], config: { "job.inline_bytes": "1KiB" } });
  const umask = process.umask(0);
  try {
    await bench.worker();
    const input = { name: "a", ballast: "x".repeat(3_000), keeps: { "b/c.txt": "x" }, progress: [1] };
    await bench.settled(await bench.submit("app.work", input));
    const open_ = [join(bench.folder, "db"), join(bench.folder, "artifacts")].flatMap((root) =>
      [".", ...readdirSync(root, { recursive: true, encoding: "utf8" })].flatMap((name) => {
        const { mode } = statSync(join(root, name));
        return (mode & 0o077) === 0 ? [] : [`${name} ${(mode & 0o777).toString(8)}`];
      }),
    );
    expect(open_).toEqual([]);
  } finally {
    process.umask(umask);
  }
});

test("a worker that is older than the database wants finishes what it has, takes nothing more and stops", async ({
  open,
}) => {
  const bench = await open({ types: [work] });
  const worker = await bench.worker();
  const running = await bench.submit("app.work", { name: "running", hold: true });
  await bench.effects.seen("running", "start");
  const db = new DatabaseSync(bench.databasePath, { timeout: 5_000 });
  db.exec("UPDATE setting SET value = 99 WHERE name = 'writer_min'");
  db.close();
  await until(() => worker.events.find(({ kind }) => kind === "problem"), { what: "the worker says why it stops" });
  const queued = await bench.submit("app.work", { name: "queued" });
  bench.effects.release("running");
  await worker.stopped;
  expect((await bench.status(running)).state).toBe("completed");
  expect(await bench.status(queued)).toMatchObject({ state: "queued", attempt: 0 });
  expect(worker.events).toContainEqual(
    expect.objectContaining({ kind: "problem", error: expect.objectContaining({ code: "DATABASE_NEWER" }) }),
  );
});

test("several processes share one file: every job is run once, by whoever comes first", async ({ open }) => {
  const bench = await open({ types: [work] });
  await Promise.all([1, 2, 3].map(() => bench.spawn({ concurrency: 3 })));
  const requests = Array.from({ length: 300 }, (_, n) => ({
    type: "app.work",
    input: { name: `n${n}`, ...(n % 10 === 0 ? { fails: 1 } : {}) },
    options: {},
    actor: TESTER,
  }));
  const accepted = await bench.windlass.submit.submit(requests);
  for (const { jobId } of accepted) expect((await bench.settled(jobId)).state).toBe("completed");
  const ends = bench.effects.order("end");
  expect(ends.length).toBe(300);
  expect(new Set(bench.effects.all().map(({ pid }) => pid)).size).toBeGreaterThan(1);
});

test("a reader sees every job in exactly one place while other processes move it", async ({ open }) => {
  const bench = await open({ types: [work] });
  await Promise.all([bench.spawn({ concurrency: 5 }), bench.spawn({ concurrency: 5 })]);
  const requests = Array.from({ length: 400 }, (_, n) => ({
    type: "app.work",
    input: { name: `n${n}` },
    options: {},
    actor: TESTER,
  }));
  const ids = (await bench.windlass.submit.submit(requests)).map(({ jobId }) => jobId);
  const wrong: string[] = [];
  const ended = new Set<string>();
  while (ended.size < ids.length && wrong.length === 0) {
    for (const id of ids) {
      const status = await bench.backend.status(id);
      if (status === undefined) wrong.push(`${id} is nowhere`);
      else if (status.endedAtMs === null && ended.has(id)) wrong.push(`${id} is ${status.state} after its end`);
      else if (status.endedAtMs !== null) ended.add(id);
    }
    const { counts } = await bench.backend.stats();
    const total = counts.reduce((sum, { count }) => sum + count, 0);
    if (total !== ids.length) wrong.push(`${total} jobs are counted`);
    const { jobs } = await bench.backend.list({ limit: 500 });
    if (jobs.length !== ids.length) wrong.push(`${jobs.length} jobs are listed`);
  }
  expect(wrong).toEqual([]);
});
