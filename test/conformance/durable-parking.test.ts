import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { durable, emitted, gate, goesOnElsewhere, recorded, runDurable, served, waits } from "../support/durable.ts";
import { conformance } from "./backends.ts";

conformance("durable parking", (test) => {
  test("code that waits in a live worker goes on where it stood; elsewhere it runs from the top", async ({ open }) => {
    let begun = 0;
    const job = durable(async (ctx) => {
      begun++;
      for (let n = 0; n < 5; n++) await ctx.sleep("5ms");
      await ctx.waitFor("go");
      return "done";
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id, 6);
    expect(begun).toBe(1);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    expect((await bench.settled(id)).result).toBe("done");
    expect(begun).toBe(2);
  });

  test("evicted code never settles, its signal says suspended, and a catch charges no card", async ({ open }) => {
    const seen: unknown[] = [];
    const job = durable(async (ctx) => {
      ctx.signal.addEventListener("abort", () => seen.push(ctx.signal.reason));
      try {
        await ctx.waitFor("go");
      } catch {
        seen.push("caught");
      } finally {
        seen.push("finally");
      }
      await ctx.step("charge", () => seen.push("charged"));
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await first.stop({ graceMs: 0 });
    expect(seen).toEqual(["suspended"]);
    await bench.worker();
    await emitted(bench, "go");
    await bench.settled(id);
    expect(seen).toEqual(["suspended", "finally", "charged"]);
  });

  test("more code than may be parked: the longest unused is evicted, and every job ends well", async ({ open }) => {
    const many = 1_050;
    let begun = 0;
    const job = durable(async (ctx, { n }) => {
      begun++;
      await ctx.waitFor("go");
      return n;
    });
    const bench = await open({ own: [job] });
    await bench.worker({ concurrency: 50 });
    const jobs = await bench.windlass.submit.submit(
      Array.from({ length: many }, (_, n) => ({
        type: "app.durable",
        input: { n },
        options: {},
        actor: { kind: "person", name: "t", via: "library" } as const,
      })),
    );
    for (const { jobId } of jobs) await waits(bench, jobId);
    expect((await emitted(bench, "go")).given).toBe(many);
    for (const [n, { jobId }] of jobs.entries()) expect((await bench.settled(jobId)).result).toBe(n);
    expect(begun).toBe(many + 50);
  }, 60_000);

  test("code that was evicted makes no call any more: it never settles, and nothing is recorded", async ({ open }) => {
    const inside = gate();
    const seen: string[] = [];
    const job = durable(async (ctx) => {
      if (ctx.attempt === 1)
        ctx.signal.addEventListener("abort", () => {
          void ctx.step("late", () => seen.push("done")).finally(() => seen.push("settled"));
          void ctx.sleep("1ms").finally(() => seen.push("settled"));
          void ctx.all({ a: () => ctx.now() }).finally(() => seen.push("settled"));
          void inside.pass();
        });
      await ctx.waitFor("go");
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
    await inside.reached;
    expect((await bench.settled(id)).state).toBe("completed");
    expect(seen).toEqual([]);
    expect(await recorded(bench, id)).toEqual(["1 waitFor go"]);
  });

  test("code that has waited for a quarter of an hour is evicted, and its job is replayed when it wakes", async ({
    open,
  }) => {
    const clock = new TestClock();
    const reasons: unknown[] = [];
    let begun = 0;
    const job = durable(async (ctx) => {
      begun++;
      ctx.signal.addEventListener("abort", () => reasons.push(ctx.signal.reason));
      await ctx.waitFor("go");
      return begun;
    });
    const bench = await served(open, { own: [job], clock, config: { "worker.tick": "10s" } });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await clock.advance(14 * 60_000);
    expect(reasons).toEqual([]);
    await clock.advance(2 * 60_000);
    expect(reasons).toEqual(["suspended"]);
    await emitted(bench, "go");
    await clock.advance(10);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: 2 });
  });

  test("of two workers the one that has the code in memory is preferred", async ({ open }) => {
    let begun = 0;
    const job = durable(async (ctx) => {
      begun++;
      for (let n = 0; n < 10; n++) await ctx.sleep("2ms");
    });
    const bench = await served(open, { own: [job] });
    await bench.worker();
    expect((await runDurable(bench)).attempt).toBe(11);
    expect(begun).toBe(1);
  });

  test("code in memory that another worker overtook does not go on: the record is longer than what it knows", async ({
    open,
  }) => {
    const held = gate();
    const began: string[] = [];
    const make = (who: string) => [
      durable(async (ctx) => {
        began.push(who);
        return [await ctx.waitFor("go"), await ctx.waitFor("go"), await ctx.waitFor("go")];
      }),
      durable((ctx) => ctx.step("held", () => held.pass()), { name: "app.held" }),
    ];
    const first = await open({ own: make("first") });
    await first.worker({ concurrency: 1 });
    const id = await first.submit("app.durable", {});
    await waits(first, id);
    // The only slot of who has its code is taken, so another one goes on from the top.
    const blocking = await first.submit("app.held", {});
    await held.reached;
    const second = await open({ own: make("second"), folder: first.folder });
    const worker = await second.worker();
    await emitted(first, "go", 1);
    await waits(first, id, 2);
    await worker.stop({ graceMs: 0 });
    held.open();
    await first.settled(blocking);
    await emitted(first, "go", 2);
    await waits(first, id, 3);
    await emitted(first, "go", 3);
    expect((await first.settled(id)).result).toEqual([1, 2, 3]);
    expect(began).toEqual(["first", "second", "first"]);
  });
});
