import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { durable, goesOnElsewhere, runDurable, served, waits } from "../support/durable.ts";
import { seeded } from "../support/random.ts";
import { conformance } from "./backends.ts";

conformance("durable time", (test) => {
  test("sleep: never early, measured once, and over after a restart of the worker in the middle", async ({ open }) => {
    const clock = new TestClock();
    const job = durable(async (ctx) => {
      await ctx.sleep("1h");
      return "awake";
    });
    const bench = await open({ own: [job], clock, config: { "worker.tick": "10s" } });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await clock.advance(30 * 60_000);
    const stopped = first.stop({ graceMs: 0 });
    await clock.advance(10);
    await stopped;
    await bench.worker();
    await clock.advance(29 * 60_000);
    expect((await bench.status(id)).state).toBe("waiting");
    await clock.advance(2 * 60_000);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: "awake" });
  });

  test("sleep: many of them, none early and none much too late", async ({ open }) => {
    const job = durable(async (ctx, { ms }) => {
      const from = Date.now();
      await ctx.sleep(Number(ms));
      return Date.now() - from;
    });
    const bench = await open({ own: [job], config: { "worker.tick": "10s" } });
    await bench.worker({ concurrency: 50 });
    const random = seeded(3);
    const spans = Array.from({ length: 200 }, () => 1 + Math.floor(random() * 200));
    const slept = await Promise.all(spans.map(async (ms) => (await runDurable(bench, { ms })).result as number));
    const late = slept.map((took, n) => took - (spans[n] ?? 0));
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    // None waited until its worker looked around.
    expect(Math.max(...late)).toBeLessThan(5_000);
  });

  test("sleepUntil: a past date returns at once, a future one waits", async ({ open }) => {
    const clock = new TestClock();
    const until = new Date(clock.now() + 3_600_000);
    const job = durable(async (ctx) => {
      await ctx.sleepUntil(new Date(0));
      await ctx.sleepUntil(until);
    });
    const bench = await served(open, { own: [job], clock, config: { "worker.tick": "10s" } });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await clock.advance(3_599_990);
    expect((await bench.status(id)).state).toBe("waiting");
    await clock.advance(20);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2 });
  });

  test("now, random and uuid are recorded", async ({ open }) => {
    const seen: unknown[][] = [];
    const job = durable(async (ctx) => {
      seen.push([await ctx.now(), await ctx.random(), await ctx.uuid()]);
      await ctx.waitFor("go");
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
    await bench.settled(id);
    expect(seen.length).toBe(2);
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.[0]).toBeInstanceOf(Date);
  });
});
