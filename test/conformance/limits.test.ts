import { expect } from "vitest";
import { TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

const limited = { name: "app.limited", queuedMax: 3 };

conformance("back-pressure", (test) => {
  test("queuedMax: one job more than may wait is refused, and accepted when one is done", async ({ open }) => {
    const bench = await open({ types: [limited, { name: "app.other" }] });
    for (const name of ["a", "b"]) await bench.submit("app.limited", { name });
    await bench.submit("app.limited", { name: "later" }, { delay: "1h" });
    await expect(bench.submit("app.limited", { name: "c" })).rejects.toMatchObject({
      code: "QUEUE_FULL",
      message: expect.stringContaining("its limit is 3"),
    });
    await bench.submit("app.other", { name: "other" });
    await bench.worker();
    await bench.settled((await bench.backend.list({ limit: 9, state: "completed" })).jobs[0]?.jobId ?? (await first()));
    await bench.submit("app.limited", { name: "d" });
    async function first(): Promise<string> {
      const { jobs } = await bench.backend.list({ limit: 9, type: "app.limited" });
      return jobs.at(-1)?.jobId ?? "";
    }
  });

  test("what a key holds back counts as waiting, what runs does not", async ({ open }) => {
    const types = [{ name: "app.limited", queuedMax: 1, concurrency: [{ limit: 1 }] }];
    const bench = await open({ types });
    await bench.worker();
    await bench.submit("app.limited", { name: "running", hold: true });
    await bench.effects.seen("running", "start");
    await bench.submit("app.limited", { name: "blocked" });
    await expect(bench.submit("app.limited", { name: "refused" })).rejects.toMatchObject({ code: "QUEUE_FULL" });
    bench.effects.release("running");
  });

  test("the configured number holds for a type that says none", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.plain" }], config: { "job.queued_max": 1 } });
    await bench.submit("app.plain", { name: "a" });
    await expect(bench.submit("app.plain", { name: "b" })).rejects.toMatchObject({ code: "QUEUE_FULL" });
  });

  test("a job that a key gives back is no further job", async ({ open }) => {
    const bench = await open({ types: [{ ...limited, queuedMax: 1 }] });
    const id = await bench.submit("app.limited", { name: "a" }, { idempotencyKey: "k" });
    expect(await bench.submit("app.limited", { name: "a" }, { idempotencyKey: "k" })).toBe(id);
  });
});

conformance("bulk", (test) => {
  const request = (name: string, more: object = {}) => ({
    type: "app.work",
    input: { name, ...more },
    options: {},
    actor: TESTER,
  });

  test("many jobs in one call keep their order and get ids that sort", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work" }] });
    const names = Array.from({ length: 5_000 }, (_, n) => `n${n}`);
    const accepted = await bench.windlass.submit.submit(names.map((name) => request(name)));
    const ids = accepted.map(({ jobId }) => jobId);
    expect(new Set(ids).size).toBe(5_000);
    expect([...ids].sort()).toEqual(ids);
    await bench.worker({ concurrency: 1 });
    await bench.settled(ids[50] ?? "");
    expect(bench.effects.order("start").slice(0, 50)).toEqual(names.slice(0, 50));
  });

  test("jobs of every kind in one call: each as if it were alone", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work" }, { name: "app.locked", locks: ["one"] }] });
    const again = { ...request("k"), options: { idempotencyKey: "k" } };
    const long = "x".repeat(200_000);
    const requests = [
      request("a"),
      again,
      ...Array.from({ length: 12 }, (_, n) => request(`${long}${n}`)),
      again,
      { ...request("later"), options: { delay: "1h" } },
      { ...request("b"), options: { priority: 3 as const, metadata: { of: "bulk" } } },
      { ...request("c"), type: "app.locked" },
      request("d"),
    ];
    const accepted = await bench.windlass.submit.submit(requests);
    expect(accepted.map(({ existing }) => existing)).toEqual(requests.map((_, n) => n === 14));
    expect(accepted[14]?.jobId).toBe(accepted[1]?.jobId);
    expect(accepted[15]?.state).toBe("scheduled");
    await bench.worker();
    for (const [n, { jobId }] of accepted.entries()) {
      if (n === 15) continue;
      expect(await bench.settled(jobId)).toMatchObject({ state: "completed", type: requests[n]?.type });
    }
    const inputs = await Promise.all(accepted.map(async ({ jobId }) => (await bench.status(jobId)).input));
    expect(inputs).toEqual(requests.map(({ input }) => input));
    expect((await bench.backend.list({ limit: 99 })).jobs.length).toBe(requests.length - 1);
    expect((await bench.backend.list({ limit: 99, metadata: { of: "bulk" } })).jobs.length).toBe(1);
  });

  test("a call is all or nothing: one wrong input stores nothing", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work" }] });
    await expect(
      bench.windlass.submit.submit([request("a"), request("b", { nonsense: 1 }), request("c")]),
    ).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("nonsense") });
    expect((await bench.backend.list({ limit: 10 })).jobs).toEqual([]);
  });

  test("a call is all or nothing: what the backend refuses stores nothing either", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", queuedMax: 2 }] });
    await expect(bench.windlass.submit.submit([request("a"), request("b"), request("c")])).rejects.toMatchObject({
      code: "QUEUE_FULL",
    });
    expect((await bench.backend.list({ limit: 10 })).jobs).toEqual([]);
    await bench.submit("app.work", { name: "k1" }, { idempotencyKey: "k" });
    const conflicting = { ...request("other"), options: { idempotencyKey: "k" } };
    await expect(bench.windlass.submit.submit([request("d"), conflicting])).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    expect((await bench.backend.list({ limit: 10 })).jobs.length).toBe(1);
  });

  test("one refused call does not touch the others of its commit", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work" }] });
    await bench.submit("app.work", { name: "k1" }, { idempotencyKey: "k" });
    const answers = await Promise.allSettled([
      bench.submit("app.work", { name: "a" }),
      bench.submit("app.work", { name: "other" }, { idempotencyKey: "k" }),
      bench.submit("app.work", { name: "b" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await bench.backend.list({ limit: 10 })).jobs.length).toBe(3);
  });

  test("nothing in a call is nothing done", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work" }] });
    expect(await bench.windlass.submit.submit([])).toEqual([]);
  });
});
