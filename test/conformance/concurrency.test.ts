import { describe, expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import type { EffectLine } from "../support/effects.ts";
import type { Bench } from "../support/test.ts";
import { conformance } from "./backends.ts";

/** The most handlers of one key at once, by the side log. */
function mostAtOnce(lines: readonly EffectLine[], key: string): number {
  let now = 0;
  let most = 0;
  for (const line of lines.filter((each) => each.key === key)) {
    now += line.event === "start" ? 1 : line.event === "end" || line.event === "failed" ? -1 : 0;
    most = Math.max(most, now);
  }
  return most;
}

/** A job without a key that comes after all others: when it is done, everything that could start has started. */
async function everythingLetIn(bench: Bench, name: string): Promise<void> {
  await bench.settled(await bench.submit("app.keyed", { name }, { priority: 1 }));
}

const keyed = (limit: number, more: object = {}) => ({
  name: "app.keyed",
  concurrency: [{ key: "key", limit, ...more }],
  backoff: { first: "10ms", jitter: 0 },
});

const twoKeys = {
  name: "app.keyed",
  concurrency: [
    { key: "key", limit: 1 },
    { key: "other", limit: 1 },
  ],
};

conformance("concurrency keys", (test) => {
  test("no more jobs of one key run at once than its limit, and other keys are free", async ({ open }) => {
    const bench = await open({ types: [keyed(2)] });
    await bench.worker({ concurrency: 20 });
    const ids = await Promise.all(
      ["a1", "a2", "a3", "a4", "b1"].map((name) => bench.submit("app.keyed", { name, key: name[0], hold: true })),
    );
    await Promise.all(["a1", "a2", "b1"].map((name) => bench.effects.seen(name, "start")));
    await everythingLetIn(bench, "last");
    expect(bench.effects.count("a3", "start") + bench.effects.count("a4", "start")).toBe(0);
    for (const name of ["a1", "a2", "a3", "a4", "b1"]) bench.effects.release(name);
    for (const id of ids) expect((await bench.settled(id)).state).toBe("completed");
    expect(mostAtOnce(bench.effects.all(), "a")).toBe(2);
    expect(bench.effects.order("start").filter((name) => name.startsWith("a"))).toEqual(["a1", "a2", "a3", "a4"]);
  });

  test("a key is a dotted path; a job without a value for it needs no key; texts, numbers and booleans are keys", async ({
    open,
  }) => {
    const types = [
      {
        name: "app.keyed",
        concurrency: [
          { key: "site.host", limit: 1 },
          { key: "key", limit: 1 },
        ],
      },
    ];
    const bench = await open({ types });
    await bench.worker({ concurrency: 20 });
    const hold = { hold: true };
    await bench.submit("app.keyed", { name: "h1", site: { host: "lab1" }, ...hold });
    await bench.submit("app.keyed", { name: "h2", site: { host: "lab1" }, ...hold });
    await bench.submit("app.keyed", { name: "h3", site: { host: "lab2" }, ...hold });
    await bench.submit("app.keyed", { name: "n1", key: 1, ...hold });
    await bench.submit("app.keyed", { name: "n2", key: 1, ...hold });
    await bench.submit("app.keyed", { name: "n3", key: true, ...hold });
    await bench.submit("app.keyed", { name: "n4", key: null, ...hold });
    await everythingLetIn(bench, "last");
    expect([...bench.effects.order("start")].sort()).toEqual(["h1", "h3", "last", "n1", "n3", "n4"]);
  });

  test("a rule without a path is one key for the whole type", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.keyed", concurrency: [{ limit: 2 }] }, { name: "app.other" }] });
    await bench.worker({ concurrency: 20 });
    for (const name of ["a", "b", "c"]) await bench.submit("app.keyed", { name, hold: true });
    await bench.settled(await bench.submit("app.other", { name: "other" }));
    await bench.effects.seen("b", "start");
    expect(bench.effects.order("start").filter((name) => name !== "other")).toEqual(["a", "b"]);
  });

  test("a job with two keys waits for both and blocks neither while it waits", async ({ open }) => {
    const bench = await open({ types: [twoKeys] });
    await bench.worker({ concurrency: 20 });
    const first = await bench.submit("app.keyed", { name: "first", key: "x", hold: true });
    await bench.effects.seen("first", "start");
    const both = await bench.submit("app.keyed", { name: "both", key: "x", other: "y" });
    const onlyY = await bench.submit("app.keyed", { name: "only-y", other: "y" });
    await bench.settled(onlyY);
    expect(bench.effects.count("both", "start")).toBe(0);
    bench.effects.release("first");
    await bench.settled(first);
    expect((await bench.settled(both)).state).toBe("completed");
  });

  test("two keys taken crosswise do not lock each other out", async ({ open }) => {
    const bench = await open({ types: [twoKeys] });
    await bench.worker({ concurrency: 20 });
    const names = Array.from({ length: 40 }, (_, n) => `n${n}`);
    const ids = await Promise.all(
      names.map((name, n) => bench.submit("app.keyed", { name, key: `k${n % 3}`, other: `k${n % 2}` })),
    );
    for (const id of ids) expect((await bench.settled(id)).state).toBe("completed");
    expect(Math.max(...["k0", "k1", "k2"].map((key) => mostAtOnce(bench.effects.all(), key)))).toBe(1);
  });

  test("a lock with a value of the input holds across types", async ({ open }) => {
    const types = [
      { name: "app.one", locks: ["desktop:<site.host>"] },
      { name: "app.two", locks: ["desktop:<site.host>"] },
    ];
    const bench = await open({ types });
    await bench.worker({ concurrency: 20 });
    const one = await bench.submit("app.one", { name: "one", site: { host: "lab1" }, hold: true });
    await bench.effects.seen("one", "start");
    const two = await bench.submit("app.two", { name: "two", site: { host: "lab1" } });
    await bench.settled(await bench.submit("app.two", { name: "elsewhere", site: { host: "lab2" } }));
    expect(bench.effects.count("two", "start")).toBe(0);
    expect((await bench.status(two)).state).toBe("queued");
    bench.effects.release("one");
    await bench.settled(one);
    expect((await bench.settled(two)).state).toBe("completed");
  });

  describe("the key is given back after each kind of end", () => {
    const ends = {
      completed: async (bench: Bench) => bench.effects.release("first"),
      failed: async (bench: Bench) => bench.effects.release("first"),
      cancelled: async (bench: Bench, id: string) => void (await bench.cancel(id)),
      "timed out": async () => undefined,
      "past its deadline": async () => undefined,
      "that could not record its result": async (bench: Bench) => bench.effects.release("first"),
    };
    for (const [end, act] of Object.entries(ends)) {
      test(end, async ({ open }) => {
        const bench = await open({ types: [{ ...keyed(1), retries: 0 }] });
        await bench.worker();
        const more = {
          failed: { fails: 1 },
          "that could not record its result": { fails: 1, code: "INVALID_RESULT" },
        }[end as "failed"];
        const options = { "timed out": { timeout: 50 }, "past its deadline": { deadline: 50 } }[end as "timed out"];
        const first = await bench.submit("app.keyed", { name: "first", key: "k", hold: true, ...more }, options);
        const next = await bench.submit("app.keyed", { name: "next", key: "k" });
        if (options === undefined) await bench.effects.seen("first", "start");
        await act(bench, first);
        await bench.settled(first);
        expect((await bench.settled(next)).state).toBe("completed");
      });
    }

    test("cancelled while it waited for its slot", async ({ open }) => {
      const bench = await open({ types: [keyed(1)] });
      const first = await bench.submit("app.keyed", { name: "first", key: "k" });
      const second = await bench.submit("app.keyed", { name: "second", key: "k" });
      await bench.cancel(first);
      await bench.worker();
      expect((await bench.settled(second)).state).toBe("completed");
    });

    test("expired while it waited for its slot", async ({ open }) => {
      const clock = new TestClock();
      const bench = await open({ types: [keyed(1)], clock });
      const first = await bench.submit("app.keyed", { name: "first", key: "k" }, { expiresIn: "1m" });
      const second = await bench.submit("app.keyed", { name: "second", key: "k" });
      await clock.advance(61_000);
      await bench.worker();
      await clock.advance(1_000);
      expect((await bench.status(first)).state).toBe("expired");
      expect((await bench.status(second)).state).toBe("completed");
    });
  });

  test("a job that waits for its back-off gives its key to others and takes it again", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [{ ...keyed(1), backoff: { first: "1m", jitter: 0 } }], clock });
    await bench.worker();
    const first = await bench.submit("app.keyed", { name: "first", key: "k", fails: 1 });
    const second = await bench.submit("app.keyed", { name: "second", key: "k", hold: true });
    await bench.effects.seen("second", "start");
    await clock.advance(61_000);
    expect((await bench.status(first)).state).toBe("queued");
    bench.effects.release("second");
    expect((await bench.settled(second)).state).toBe("completed");
    expect((await bench.settled(first)).state).toBe("completed");
  });

  test("a job that a stopping worker gives back keeps its key", async ({ open }) => {
    const bench = await open({ types: [keyed(1)] });
    const worker = await bench.worker();
    const first = await bench.submit("app.keyed", { name: "first", key: "k", hold: true });
    const second = await bench.submit("app.keyed", { name: "second", key: "k" });
    await bench.effects.seen("first", "start");
    await worker.stop({ graceMs: 0 });
    expect((await bench.backend.explain(second)).reason).toBe("key");
    bench.effects.release("first");
    await bench.worker();
    await bench.settled(first);
    await bench.settled(second);
    expect(bench.effects.order("end")).toEqual(["first", "second"]);
  });

  test("cancel-newest: the newest is cancelled while the key is in use, and accepted when it is free", async ({
    open,
  }) => {
    const bench = await open({ types: [keyed(1, { strategy: "cancel-newest" })] });
    await bench.worker();
    const first = await bench.submit("app.keyed", { name: "first", key: "k", hold: true });
    await bench.effects.seen("first", "start");
    const second = await bench.accept("app.keyed", { name: "second", key: "k" });
    expect(second.state).toBe("cancelled");
    expect(await bench.status(second.jobId)).toMatchObject({ state: "cancelled", error: { code: "CANCELLED" } });
    bench.effects.release("first");
    await bench.settled(first);
    const third = await bench.submit("app.keyed", { name: "third", key: "k" });
    expect((await bench.settled(third)).state).toBe("completed");
    expect(bench.effects.count("second", "start")).toBe(0);
  });

  test("cancel-newest holds for a delayed job when its time comes, and not for a retry of the holder", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({
      types: [{ ...keyed(1, { strategy: "cancel-newest" }), backoff: { first: "1m" } }],
      clock,
    });
    await bench.worker();
    const retried = await bench.submit("app.keyed", { name: "retried", key: "k", fails: 1 });
    await bench.effects.seen("retried", "failed");
    await clock.advance(0);
    const holder = await bench.submit("app.keyed", { name: "holder", key: "k", hold: true });
    await bench.effects.seen("holder", "start");
    const delayed = await bench.submit("app.keyed", { name: "delayed", key: "k" }, { delay: "1m" });
    await clock.advance(180_000);
    expect((await bench.status(delayed)).state).toBe("cancelled");
    expect((await bench.status(retried)).state).toBe("queued");
    bench.effects.release("holder");
    await bench.settled(holder);
    expect((await bench.settled(retried)).state).toBe("completed");
  });

  test("a replayed job takes its key again like any other", async ({ open }) => {
    const bench = await open({ types: [keyed(1)] });
    await bench.worker();
    const first = await bench.submit("app.keyed", { name: "first", key: "k" });
    await bench.settled(first);
    await bench.submit("app.keyed", { name: "holder", key: "k", hold: true });
    await bench.effects.seen("holder", "start");
    await bench.replay(first);
    expect((await bench.backend.explain(first)).reason).toBe("key");
    bench.effects.release("holder");
    expect(await bench.settled(first)).toMatchObject({ state: "completed", runNumber: 2 });
  });

  test("a value that is a list or an object is no key and is refused", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.keyed", concurrency: [{ key: "site", limit: 1 }] }] });
    await expect(bench.submit("app.keyed", { name: "a", site: { host: "h" } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("input.site"),
    });
  });
});
