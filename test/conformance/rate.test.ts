import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { conformance } from "./backends.ts";

const limited = (units: number, per: string, key?: string) => ({
  name: "app.limited",
  rateLimit: { units, per, ...(key === undefined ? {} : { key }) },
});

conformance("rate limits", (test) => {
  test("no more jobs start than the limit allows, and none is forgotten", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [limited(3, "1m")], clock });
    await bench.worker({ concurrency: 20 });
    const ids = await Promise.all(Array.from({ length: 9 }, (_, n) => bench.submit("app.limited", { name: `n${n}` })));
    const started = () => bench.effects.order("start").length;
    await clock.advance(0);
    expect(started()).toBe(3);
    for (let seconds = 20; seconds <= 120; seconds += 20) {
      await clock.advance(19_999);
      expect(started()).toBeLessThanOrEqual(3 + (seconds - 20) / 20);
      await clock.advance(1);
      expect(started()).toBe(3 + seconds / 20);
    }
    for (const id of ids) expect((await bench.status(id)).state).toBe("completed");
    expect(new Set(bench.effects.order("start")).size).toBe(9);
  });

  test("each value of the rate limit's key has a bucket of its own", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [limited(1, "1h", "key")], clock });
    await bench.worker({ concurrency: 20 });
    for (const name of ["a1", "a2", "b1", "b2", "n1", "n2"])
      await bench.submit("app.limited", { name, ...(name.startsWith("n") ? {} : { key: name[0] }) });
    await clock.advance(0);
    expect([...bench.effects.order("start")].sort()).toEqual(["a1", "b1", "n1", "n2"]);
  });

  test("a job that its rate limit holds back is queued, says so and can be cancelled", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [limited(1, "1h")], clock });
    await bench.worker();
    await bench.submit("app.limited", { name: "first" });
    const held = await bench.submit("app.limited", { name: "held" });
    await clock.advance(0);
    expect((await bench.status(held)).state).toBe("queued");
    expect(await bench.backend.explain(held)).toMatchObject({ state: "queued", reason: "rate" });
    expect(await bench.cancel(held)).toEqual({ kind: "cancelled" });
  });

  test("jobs that are cancelled while they wait do not use up the rate limit", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [limited(1, "1m")], clock });
    await bench.worker({ concurrency: 20 });
    await bench.submit("app.limited", { name: "first" });
    const held = await Promise.all(
      Array.from({ length: 50 }, (_, n) => bench.submit("app.limited", { name: `held${n}` })),
    );
    await clock.advance(0);
    for (const id of held) await bench.cancel(id);
    const next = await bench.submit("app.limited", { name: "next" });
    await clock.advance(120_000);
    expect((await bench.status(next)).state).toBe("completed");
  });

  test("what a rate limit holds back keeps its concurrency key until it ends", async ({ open }) => {
    const clock = new TestClock();
    const types = [{ ...limited(1, "1m"), concurrency: [{ key: "key", limit: 1 }] }];
    const bench = await open({ types, clock });
    await bench.worker({ concurrency: 20 });
    const ids = await Promise.all(["a", "b", "c"].map((name) => bench.submit("app.limited", { name, key: "k" })));
    await clock.advance(180_000);
    for (const id of ids) expect((await bench.status(id)).state).toBe("completed");
    expect(bench.effects.order("start")).toEqual(["a", "b", "c"]);
  });

  test("a retry takes a unit of the rate limit like any start", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [{ ...limited(1, "1m"), backoff: { first: "1s", jitter: 0 } }], clock });
    await bench.worker();
    const id = await bench.submit("app.limited", { name: "a", fails: 1 });
    await clock.advance(30_000);
    expect(bench.effects.count("a", "start")).toBe(1);
    await clock.advance(31_000);
    expect((await bench.status(id)).state).toBe("completed");
  });
});
