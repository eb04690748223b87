import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { durable, emitted, gate, goesOnElsewhere, recorded, served, waits } from "../support/durable.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", retries: 0 };

conformance("durable suspension", (test) => {
  test("a waiting job has no slot and keeps its keys", async ({ open }) => {
    const job = durable((ctx) => ctx.waitFor("go"), { concurrency: [{ limit: 1 }] });
    const bench = await open({ own: [job], types: [work] });
    await bench.worker({ concurrency: 1 });
    const first = await bench.submit("app.durable", {});
    await waits(bench, first);
    const second = await bench.submit("app.durable", {});
    const other = await bench.submit("app.work", { name: "other" });
    expect((await bench.settled(other)).state).toBe("completed");
    expect((await bench.status(second)).state).toBe("queued");
    await emitted(bench, "go", { n: 1 });
    expect((await bench.settled(first)).result).toEqual({ n: 1 });
    expect((await bench.settled(second)).result).toEqual({ n: 1 });
  });

  test("cancel of a waiting job: at once, and its code does not go on", async ({ open }) => {
    const seen: string[] = [];
    const job = durable(async (ctx) => {
      await ctx.waitFor("go").finally(() => seen.push("went on"));
    });
    const bench = await served(open, { own: [job] });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    expect(await bench.cancel(id)).toEqual({ kind: "cancelled" });
    expect(await bench.status(id)).toMatchObject({ state: "cancelled", error: { code: "CANCELLED" } });
    expect((await emitted(bench, "go")).given).toBe(0);
    expect(seen).toEqual([]);
  });

  test("cancel of a running one: its step is told, what it did before stays recorded, and nothing follows", async ({
    open,
  }) => {
    const inside = gate();
    const seen: unknown[] = [];
    const job = durable(async (ctx) => {
      await ctx.step("a", () => 1);
      await ctx
        .step(
          "b",
          ({ signal }) =>
            new Promise((_, reject) => {
              void inside.pass();
              signal.addEventListener("abort", () => {
                seen.push(signal.reason);
                reject(new Error("stopped"));
              });
            }),
        )
        .catch(() => seen.push("caught"));
      await ctx.step("c", () => seen.push("went on"));
    });
    const bench = await served(open, { own: [job] });
    const id = await bench.submit("app.durable", {});
    await inside.reached;
    await bench.cancel(id);
    expect((await bench.settled(id)).state).toBe("cancelled");
    expect(seen).toEqual(["cancelled"]);
    expect(await recorded(bench, id)).toEqual(["1 step a"]);
  });

  test("a deadline that passes while it waits fails it, an expiry of unstarted work does not", async ({ open }) => {
    const clock = new TestClock();
    const job = durable((ctx) => ctx.waitFor("go"));
    const bench = await served(open, { own: [job], clock, config: { "worker.tick": "10s" } });
    const late = await bench.submit("app.durable", {}, { deadline: "1h" });
    const other = await bench.submit("app.durable", {}, { expiresIn: "1h" });
    await waits(bench, late);
    await waits(bench, other);
    await clock.advance(61 * 60_000);
    expect(await bench.status(late)).toMatchObject({ state: "failed", error: { code: "DEADLINE_EXCEEDED" } });
    expect((await bench.status(other)).state).toBe("waiting");
  }, 60_000);

  test("its timeout is for the time between two waits", async ({ open }) => {
    const clock = new TestClock();
    const inside = gate();
    const job = durable(
      async (ctx) => {
        await ctx.sleep("1h");
        await ctx.sleep("1h");
        await ctx.step("a", ({ signal }) => {
          void inside.pass();
          return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        });
      },
      { timeout: { default: "1m" } },
    );
    const bench = await served(open, { own: [job], clock, config: { "worker.tick": "10s", "worker.lease": "5m" } });
    const id = await bench.submit("app.durable", {});
    for (const attempt of [1, 2]) {
      await waits(bench, id, attempt);
      await clock.advance(3_601_000);
    }
    await inside.reached;
    await clock.advance(58_000);
    expect((await bench.status(id)).state).toBe("running");
    await clock.advance(2_000);
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "TIMEOUT" } });
    expect((await recorded(bench, id)).length).toBe(2);
  });

  test("a worker that stops gives a job in a step back; another one goes on from the record", async ({ open }) => {
    const inside = gate();
    const made: string[] = [];
    const job = durable(async (ctx) => {
      await ctx.step("a", () => made.push("a"));
      await ctx.step("b", async ({ signal }) => {
        made.push("b");
        void inside.pass();
        if (made.length === 2)
          await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
      });
      return made;
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await inside.reached;
    await first.stop({ graceMs: 0 });
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({
      state: "completed",
      result: ["a", "b", "b"],
      failures: 0,
      crashes: 0,
    });
  });

  test("status, logs, list and explain say that it waits, and for what", async ({ open }) => {
    const job = durable(async (ctx) => {
      await ctx.step("a", () => 1);
      await ctx.all({
        b: () => ctx.waitFor("paid", { match: { order: 7 }, timeout: "1h" }),
        c: () => ctx.sleep("2h"),
        d: () => ctx.run("app.work", { name: "child", hold: true }),
      });
    });
    const bench = await served(open, { own: [job], types: [work] });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    const { state, reason, sentence } = await bench.backend.explain(id);
    expect({ state, reason }).toEqual({ state: "waiting", reason: "event" });
    expect(sentence).toMatch(
      /^It waits for the event paid with \{"order":7\}, until \S+ \(in \S+\) at the latest \(position 2\), until \S+ \(in \S+\) \(position 3\), for its child \S+ \(app\.work, running\) \(position 4\)\.$/,
    );
    const rows = (await bench.backend.history(id)).filter(({ event }) => event.startsWith("call."));
    expect(rows).toMatchObject([
      { event: "call.recorded", data: { position: 1, call: "step", name: "a" } },
      { event: "call.issued", data: { position: 2, waits_for: "event", name: "paid", match: { order: 7 } } },
      { event: "call.issued", data: { position: 3, waits_for: "sleep" } },
      { event: "call.issued", data: { position: 4, waits_for: "child", child: expect.any(String) } },
    ]);
    expect((await bench.backend.list({ state: "waiting", limit: 9 })).jobs.map(({ jobId }) => jobId)).toEqual([id]);
    expect((await bench.backend.stats()).counts).toContainEqual({ type: "app.durable", state: "waiting", count: 1 });
    await bench.cancel(id);
  });

  test("the log is silent while recorded calls are passed again", async ({ open }) => {
    const job = durable(async (ctx) => {
      ctx.log.info("first");
      await ctx.step("a", () => 1);
      ctx.log.info("second");
      await ctx.waitFor("go");
      ctx.log.info("third");
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
    await bench.settled(id);
    const { readFileSync } = await import("node:fs");
    const { join } = await import("node:path");
    const text = readFileSync(join(bench.folder, "artifacts", id, "job.log"), "utf8");
    expect(text.match(/msg=\w+/g)).toEqual(["msg=first", "msg=second", "msg=third"]);
  });

  test("progress is not said again while recorded calls are passed", async ({ open }) => {
    const job = durable(async (ctx) => {
      ctx.progress({ done: 1 });
      await ctx.step("a", () => 1);
      ctx.progress({ done: 2 });
      await ctx.waitFor("go");
      await ctx.waitFor("again");
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
    await waits(bench, id, 2);
    await emitted(bench, "again");
    expect(await bench.settled(id)).toMatchObject({ state: "completed", progress: { done: 2 } });
  });
});
