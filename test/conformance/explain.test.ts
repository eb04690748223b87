import { expect } from "vitest";
import type { Explanation } from "../../src/backend/reading.ts";
import { settle } from "../support/clock.ts";
import { type Bench, SHORT_LEASE } from "../support/test.ts";
import { conformance } from "./backends.ts";

/** The explanation of a job as soon as it has this reason. */
async function explained(bench: Bench, id: string, reason: string): Promise<Explanation> {
  const endMono = performance.now() + 15_000;
  for (;;) {
    const found = await bench.backend.explain(id);
    if (found.reason === reason) return found;
    if (performance.now() > endMono) throw new Error(`not ${reason} within 15 s: ${found.sentence}`);
    await settle();
  }
}

conformance("explain", (test) => {
  test("each reason why a job is not running has a word and a sentence", async ({ open }) => {
    const types = [
      { name: "app.work", retries: 1, backoff: { first: "1h", jitter: 0 } },
      { name: "app.keyed", concurrency: [{ key: "key", limit: 1 }] },
      { name: "app.limited", rateLimit: { units: 1, per: "1h" } },
    ];
    const bench = await open({ types });
    const explain = (id: string) => bench.backend.explain(id);
    const first = await bench.submit("app.work", { name: "first" });
    expect(await explain(first)).toMatchObject({
      state: "queued",
      reason: "no_worker",
      sentence: "No worker is running; start one with `windlass worker`, for a type of your own with --jobs FILE.",
    });

    const worker = await bench.worker({ concurrency: 2 });
    await bench.settled(first);
    expect(await explain(first)).toMatchObject({ state: "completed", reason: "finished" });

    const future = await bench.submit("app.work", { name: "future" }, { delay: "1h" });
    expect(await explain(future)).toMatchObject({ state: "scheduled", reason: "future" });

    const retried = await bench.submit("app.work", { name: "retried", fails: 1 });
    await bench.reaches(retried, ({ failures }) => failures === 1);
    expect(await explain(retried)).toMatchObject({
      reason: "retry",
      sentence: expect.stringContaining("Attempt 1 failed"),
    });

    await bench.settled(await bench.submit("app.limited", { name: "free" }));
    const rate = await bench.submit("app.limited", { name: "rate" });
    await bench.reaches(rate, ({ dueAtMs }) => dueAtMs > Date.now() + 60_000);
    expect(await explain(rate)).toMatchObject({ state: "queued", reason: "rate" });

    const labelled = await bench.submit("app.work", { name: "labelled" }, { requires: { site: "lab1" } });
    expect(await explain(labelled)).toMatchObject({ reason: "labels", sentence: expect.stringContaining("site=lab1") });

    const holder = await bench.submit("app.keyed", { name: "holder", key: "k", hold: true });
    await bench.effects.seen("holder", "start");
    const blocked = await bench.submit("app.keyed", { name: "blocked", key: "k" });
    expect(await explain(blocked)).toMatchObject({
      reason: "key",
      sentence: `It waits for the key app.keyed/key=k, which is held by ${holder}.`,
    });
    expect(await explain(holder)).toMatchObject({ state: "running", reason: "running" });

    await bench.submit("app.work", { name: "busy", hold: true });
    await bench.effects.seen("busy", "start");
    const slot = await bench.submit("app.work", { name: "slot" });
    expect(await explain(slot)).toMatchObject({ reason: "slot", sentence: expect.stringContaining("2 slots") });
    // Asking must not free the lock by which others know that this worker lives.
    expect(await bench.backend.workers()).toMatchObject([{ id: worker.id, alive: true }]);
    bench.effects.release("busy");
    bench.effects.release("holder");
  });

  test("a job whose worker died does not run, though nobody has taken it back yet", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work" }] });
    const other = await bench.spawn();
    const id = await bench.submit("app.work", { name: "a", holds: 1 });
    await bench.effects.seen("a", "start");
    expect(await bench.backend.explain(id)).toMatchObject({ state: "running", reason: "running" });
    await other.kill();
    expect(await bench.backend.explain(id)).toEqual({
      state: "running",
      reason: "lost",
      sentence: expect.stringMatching(
        new RegExp(
          `^It does not run: the worker with pid ${other.pid} on .* died in its attempt 1; no worker runs that could take it back; start one with .windlass worker., for a type of your own with --jobs FILE\\.$`,
        ),
      ),
    });
    await bench.worker();
    expect((await bench.settled(id)).state).toBe("completed");
  });

  test("a job whose worker was stopped stands still once its lease is over, and one within it runs", async ({
    open,
  }) => {
    const bench = await open({ types: [{ name: "app.work" }], config: SHORT_LEASE });
    const other = await bench.spawn();
    const id = await bench.submit("app.work", { name: "a", holds: 1 });
    await bench.effects.seen("a", "start");
    await bench.freeze(other);
    const { sentence } = await explained(bench, id, "stalled");
    expect(sentence).toMatch(/^It stands still: .* has not renewed its lease for \d+s, .*; no worker runs/);
    expect((await bench.status(id)).state).toBe("running");
    other.thaw();
    await explained(bench, id, "running");
    bench.effects.release("a");
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 1 });
  });

  test("a type that no live worker serves is named", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work" }, { name: "app.other" }] });
    await bench.spawn({ types: [{ name: "app.other" }] });
    const id = await bench.submit("app.work", { name: "a" });
    expect(await bench.backend.explain(id)).toMatchObject({
      reason: "no_worker",
      sentence: expect.stringContaining("No live worker serves the type app.work"),
    });
  });

  test("workers are listed with what they offer while they live", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work" }] });
    const other = await bench.spawn({ labels: { site: "lab1" } });
    const id = await other.ready();
    const [worker] = await bench.backend.workers();
    expect(worker).toMatchObject({ id, pid: other.pid, labels: { site: "lab1" }, alive: true });
    expect(worker?.types).toContain("app.work");
    await other.kill();
    expect((await bench.backend.workers()).filter(({ alive }) => alive)).toEqual([]);
  });
});
