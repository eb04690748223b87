import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import type { Bench } from "../support/test.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work" };

/** Names in the order in which one slot takes them. */
async function orderOfOneSlot(bench: Bench, ids: readonly string[]): Promise<readonly string[]> {
  await bench.worker({ concurrency: 1 });
  for (const id of ids) await bench.settled(id);
  return bench.effects.order("start");
}

conformance("order", (test) => {
  test("jobs of one type start in the order in which they came", async ({ open }) => {
    const bench = await open({ types: [work] });
    const names = Array.from({ length: 20 }, (_, n) => `n${n}`);
    const ids: string[] = [];
    for (const name of names) ids.push(await bench.submit("app.work", { name }));
    expect(await orderOfOneSlot(bench, ids)).toEqual(names);
  });

  test("a high priority goes before a normal one, and that before a low one", async ({ open }) => {
    const bench = await open({ types: [work] });
    const ids = [
      await bench.submit("app.work", { name: "low" }, { priority: 1 }),
      await bench.submit("app.work", { name: "normal" }),
      await bench.submit("app.work", { name: "high" }, { priority: 3 }),
    ];
    expect(await orderOfOneSlot(bench, ids)).toEqual(["high", "normal", "low"]);
    expect((await bench.status(ids[0] ?? "")).priority).toBe(1);
  });

  test("a type's own priority holds where the call says none", async ({ open }) => {
    const bench = await open({ types: [{ ...work, priority: 1 }] });
    const ids = [
      await bench.submit("app.work", { name: "low" }),
      await bench.submit("app.work", { name: "normal" }, { priority: 2 }),
    ];
    expect(await orderOfOneSlot(bench, ids)).toEqual(["normal", "low"]);
  });

  test("a priority that is none is refused", async ({ open }) => {
    const bench = await open({ types: [work] });
    await expect(bench.submit("app.work", { name: "a" }, { priority: 4 as 3 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("priority is 4"),
    });
  });

  test("waiting outweighs priority after a while", async ({ open, skip }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock, config: { "job.age": "10m" } });
    if (!bench.backend.capabilities.ageing) return skip("this backend does not age priorities");
    const low = await bench.submit("app.work", { name: "old-low" }, { priority: 1 });
    await clock.advance(10 * 60_000 + 1);
    const normal = await bench.submit("app.work", { name: "new-normal" });
    const high = await bench.submit("app.work", { name: "new-high" }, { priority: 3 });
    expect(await orderOfOneSlot(bench, [low, normal, high])).toEqual(["new-high", "old-low", "new-normal"]);
  });

  test("a delayed job never starts early", async ({ open }) => {
    const bench = await open({ types: [work], config: { "worker.tick": "10s" } });
    await bench.worker();
    const ids = [20, 60, 100, 140].map(async (ms, n) => {
      const id = await bench.submit("app.work", { name: `d${n}` }, { delay: ms });
      const { dueAtMs } = await bench.status(id);
      await bench.settled(id);
      const [start] = bench.effects.of(`d${n}`, "start");
      expect(start?.atMs).toBeGreaterThanOrEqual(dueAtMs);
      // And not only when its worker looks around.
      expect(start?.atMs).toBeLessThan(dueAtMs + 5_000);
    });
    await Promise.all(ids);
  });

  test("a job with a time of its own starts then, and one whose time has passed starts now", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    const later = await bench.submit("app.work", { name: "later" }, { runAt: new Date(clock.now() + 60_000) });
    const past = await bench.submit("app.work", { name: "past" }, { runAt: new Date(clock.now() - 86_400_000) });
    await clock.advance(0);
    expect((await bench.status(past)).state).toBe("completed");
    await clock.advance(59_999);
    expect((await bench.status(later)).state).toBe("scheduled");
    await clock.advance(1);
    expect((await bench.status(later)).state).toBe("completed");
  });

  test("jobs that come due together keep the order of their times", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    const second = await bench.submit("app.work", { name: "second" }, { delay: "2m" });
    const first = await bench.submit("app.work", { name: "first" }, { delay: "1m" });
    await clock.advance(180_000);
    await bench.worker({ concurrency: 1 });
    await clock.advance(1_000);
    expect((await bench.status(first)).state).toBe("completed");
    expect((await bench.status(second)).state).toBe("completed");
    expect(bench.effects.order("start")).toEqual(["first", "second"]);
  });

  test("a job that nobody started in time expires, also when the first worker comes later", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    const late = await bench.submit("app.work", { name: "late" }, { expiresIn: "1m" });
    const fresh = await bench.submit("app.work", { name: "fresh" }, { expiresIn: "1h" });
    await clock.advance(61_000);
    await bench.worker();
    await clock.advance(10);
    expect((await bench.status(late)).state).toBe("expired");
    expect((await bench.status(fresh)).state).toBe("completed");
    expect(bench.effects.count("late", "start")).toBe(0);
  });

  test("a job that has started does not expire, nor while its retry waits", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [{ ...work, backoff: { first: "5m", jitter: 0 } }], clock });
    await bench.worker();
    const held = await bench.submit("app.work", { name: "held", hold: true }, { expiresIn: "1m" });
    const failed = await bench.submit("app.work", { name: "failed", fails: 1 }, { expiresIn: "1m" });
    await bench.effects.seen("held", "start");
    await bench.effects.seen("failed", "failed");
    await clock.advance(120_000);
    expect((await bench.status(held)).state).toBe("running");
    expect((await bench.status(failed)).state).toBe("scheduled");
    bench.effects.release("held");
    await bench.settled(held);
    await clock.advance(300_000);
    expect((await bench.status(failed)).state).toBe("completed");
  });

  test("delay and a time together, a delay of nothing and one that is too long are refused", async ({ open }) => {
    const bench = await open({ types: [work] });
    const submit = (options: object) => bench.submit("app.work", { name: "a" }, options);
    await expect(submit({ delay: "1s", runAt: new Date() })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(submit({ runAt: new Date(Number.NaN) })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    for (const delay of [0, -1, Number.NaN, "soon", "367d"])
      await expect(submit({ delay })).rejects.toMatchObject({ code: "INVALID_DURATION" });
    await expect(submit({ expiresIn: 0 })).rejects.toMatchObject({ code: "INVALID_DURATION" });
    await expect(submit({ deadline: "367d" })).rejects.toMatchObject({ code: "INVALID_DURATION" });
    expect((await bench.backend.list({ limit: 10 })).jobs).toEqual([]);
  });

  test("a worker takes no more than it has slots for, so another finds the rest", async ({ open }) => {
    const bench = await open({ types: [work] });
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await bench.submit("app.work", { name, hold: true });
    await bench.worker({ concurrency: 2 });
    await bench.effects.seen("b", "start");
    const states = async () =>
      (await bench.backend.stats()).counts.map(({ state, count }) => `${count} ${state}`).sort();
    expect(await states()).toEqual(["2 running", "3 queued"]);
    await bench.worker({ concurrency: 2 });
    await bench.effects.seen("d", "start");
    expect(await states()).toEqual(["1 queued", "4 running"]);
    for (const name of names) bench.effects.release(name);
  });

  test("a job starts within the promised time on an idle worker, not at its next look", async ({ open }) => {
    const bench = await open({ types: [work], config: { "worker.tick": "10s" } });
    await bench.worker();
    const waits: number[] = [];
    for (let n = 0; n < 40; n++) {
      const id = await bench.submit("app.work", { name: `n${n}` });
      const { queuedAtMs } = await bench.settled(id);
      waits.push((await bench.effects.seen(`n${n}`, "start")).atMs - queuedAtMs);
    }
    // The quickest quarter: this machine may have other things to do.
    expect(waits.sort((a, b) => a - b)[9]).toBeLessThanOrEqual(bench.backend.capabilities.startMs);
  });

  test("one type's backlog does not starve another type", async ({ open }) => {
    const bench = await open({ types: [work, { name: "app.other" }] });
    await bench.windlass.submit.submit(
      Array.from({ length: 200 }, (_, n) => ({
        type: "app.work",
        input: { name: `w${n}` },
        options: {},
        actor: { kind: "person", name: "tester", via: "library" },
      })),
    );
    const other = await bench.submit("app.other", { name: "other" });
    await bench.worker({ concurrency: 1 });
    await bench.settled(other);
    expect(bench.effects.order("start").indexOf("other")).toBeLessThan(10);
  });
});
