import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import type { Bench } from "../support/test.ts";
import { conformance } from "./backends.ts";

const DAY = 86_400_000;
const work = { name: "app.work", retries: 0, idempotency: { window: "1d" } };
const config = { "retention.days": 7, "artifacts.retention_days": 1, "job.inline_bytes": "1KiB" };

/** The worker's round of retention comes a minute after its start. */
async function round(bench: Bench, clock: TestClock): Promise<void> {
  const worker = await bench.worker();
  await clock.advance(75_000);
  const stopped = worker.stop({ graceMs: 0 });
  await clock.advance(10);
  await stopped;
}

conformance("retention", (test) => {
  test("finished jobs past their days go, with everything that belongs to them; what is needed stays", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock, config });
    const worker = await bench.worker();
    const gone = [
      await bench.submit("app.work", { name: "plain" }, { metadata: { a: "1" }, deadline: "30d", expiresIn: "30d" }),
      await bench.submit("app.work", { name: "failed", fails: 1 }),
      await bench.submit("app.work", { name: "kept", keeps: { "a.txt": "x" } }),
      await bench.submit("app.work", { name: "big", ballast: "x".repeat(4_000) }),
      await bench.submit("app.work", { name: "keyed" }, { idempotencyKey: "old" }),
      await bench.submit("app.work", { name: "replayed" }),
    ];
    const parent = await bench.submit("app.work", { name: "parent", children: ["child"], childType: "app.work" });
    await clock.advance(0);
    await bench.replay(gone[5] ?? "");
    const future = await bench.submit("app.work", { name: "future" }, { delay: "300d" });
    const held = await bench.submit("app.work", { name: "held", hold: true });
    await bench.effects.seen("held", "start");
    const stopping = worker.stop({ graceMs: 0 });
    await clock.advance(10);
    await stopping;
    clock.jump(8 * DAY);
    const fresh = await bench.submit("app.work", { name: "fresh" }, { delay: "1h" });
    await bench.cancel(fresh);
    await round(bench, clock);
    for (const id of [...gone, parent]) expect(await bench.backend.status(id), id).toBeUndefined();
    for (const id of [future, held, fresh]) expect(await bench.backend.status(id), id).toBeDefined();
    expect((await bench.backend.list({ limit: 9, metadata: { a: "1" } })).jobs).toEqual([]);
    expect(existsSync(join(bench.folder, "artifacts", gone[2] ?? ""))).toBe(false);
    bench.effects.release("held");
  });

  test("a job stays while its key, its kept files or an unfinished relative needs it", async ({ open }) => {
    const clock = new TestClock();
    const needed = { ...config, "artifacts.retention_days": 30 };
    const bench = await open({ types: [{ ...work, idempotency: { window: "30d" } }], clock, config: needed });
    const worker = await bench.worker();
    const keyed = await bench.submit("app.work", { name: "keyed" }, { idempotencyKey: "k" });
    const kept = await bench.submit("app.work", { name: "kept", keeps: { "a.txt": "x" } });
    const plain = await bench.submit("app.work", { name: "plain" });
    await clock.advance(0);
    const parent = await bench.submit("app.work", { name: "parent" });
    await clock.advance(0);
    const ref = { jobId: parent, runNumber: 1, slot: "key:child" };
    const child = await bench.submit("app.work", { name: "child" }, { delay: "300d" }, { parent: ref });
    await worker.stop({ graceMs: 0 });
    clock.jump(8 * DAY);
    await bench.submit("app.work", { name: "newest" }, { delay: "1h" });
    await round(bench, clock);
    expect(await bench.backend.status(plain)).toBeUndefined();
    expect(await bench.backend.status(keyed)).toBeDefined();
    expect(await bench.backend.status(kept)).toBeDefined();
    expect((await bench.accept("app.work", { name: "keyed" }, { idempotencyKey: "k" })).jobId).toBe(keyed);
    expect(await bench.backend.status(parent)).toBeDefined();
    expect(await bench.backend.status(child)).toBeDefined();
  });

  test("beyond the number of finished jobs the oldest go", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock, config: { ...config, "retention.jobs": 3 } });
    const worker = await bench.worker({ concurrency: 1 });
    const ids: string[] = [];
    for (let n = 0; n < 8; n++) ids.push(await bench.submit("app.work", { name: `n${n}` }));
    await clock.advance(0);
    await worker.stop({ graceMs: 0 });
    await round(bench, clock);
    const left = (await bench.backend.list({ limit: 20 })).jobs.map(({ jobId }) => jobId);
    expect(left).toEqual(ids.slice(-3).toReversed());
  });

  test("a job counts once, however often it was started over, and one that is unfinished not at all", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock, config: { ...config, "retention.jobs": 3 } });
    const worker = await bench.worker({ labels: { site: "lab1" } });
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.push(await bench.submit("app.work", { name: `n${n}` }));
    const again = await bench.submit("app.work", { name: "again" }, { requires: { site: "lab1" } });
    await clock.advance(0);
    for (let runs = 2; runs <= 4; runs++) {
      for (const id of ids) expect((await bench.replay(id)).kind).toBe("started");
      await clock.advance(0);
    }
    await worker.stop({ graceMs: 0 });
    expect((await bench.replay(again)).kind).toBe("started");
    await round(bench, clock);
    expect((await bench.backend.list({ limit: 20 })).jobs.map(({ jobId }) => jobId)).toEqual(
      [...ids, again].toReversed(),
    );
    await bench.cancel(again);
    await round(bench, clock);
    expect((await bench.backend.list({ limit: 20 })).jobs.map(({ jobId }) => jobId)).toEqual(
      [...ids.slice(1), again].toReversed(),
    );
  });

  test("what attempts wrote that nobody kept goes with its job", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [{ ...work, retries: 1, backoff: { first: "1s", jitter: 0 } }], clock, config });
    const worker = await bench.worker();
    // The first attempt keeps a file and fails; the second keeps none.
    const id = await bench.submit("app.work", { name: "a", keepsOnce: { "first.txt": "x" }, fails: 1 });
    await bench.reaches(id, ({ failures }) => failures === 1);
    await clock.advance(1_000);
    expect((await bench.settled(id)).state).toBe("completed");
    expect(existsSync(join(bench.folder, "artifacts", id))).toBe(true);
    await worker.stop({ graceMs: 0 });
    clock.jump(8 * DAY);
    await bench.submit("app.work", { name: "newest" }, { delay: "1h" });
    await round(bench, clock);
    expect(await bench.backend.status(id)).toBeUndefined();
    expect(existsSync(join(bench.folder, "artifacts", id))).toBe(false);
  });

  test("the newest job stays, however old, because ids are made from it", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock, config });
    const worker = await bench.worker();
    const id = await bench.submit("app.work", { name: "only" });
    await clock.advance(0);
    await worker.stop({ graceMs: 0 });
    clock.jump(30 * DAY);
    await round(bench, clock);
    clock.jump(-60 * DAY);
    const next = await bench.submit("app.work", { name: "next" });
    expect(next > id).toBe(true);
  });

  test("a cleanup of kept files never touches those of an unfinished job", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const finished = await bench.submit("app.work", { name: "finished", keeps: { "a.txt": "x" } });
    await bench.settled(finished);
    const replayed = await bench.submit("app.work", { name: "replayed", keeps: { "a.txt": "x" }, hold: true });
    bench.effects.release("replayed");
    await bench.settled(replayed);
    const held = await bench.submit("app.work", { name: "held", keeps: { "a.txt": "x" }, hold: true });
    await bench.effects.seen("held", "start");
    expect(await bench.backend.artifacts.removeOlder(Date.now() + 1_000)).toBe(2);
    expect(await bench.backend.artifacts.manifest(finished)).toBeUndefined();
    expect(readdirSync(join(bench.folder, "artifacts"))).toContain(held);
    bench.effects.release("held");
    await bench.settled(held);
    expect((await bench.backend.artifacts.manifest(held))?.files.length).toBe(1);
  });
});
