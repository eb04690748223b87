import { expect } from "vitest";
import { z } from "zod";
import type { AppError } from "../../src/error.ts";
import { TestClock } from "../support/clock.ts";
import { durable, emitted, gate, served, waits } from "../support/durable.ts";
import { seeded } from "../support/random.ts";
import { conformance } from "./backends.ts";

conformance("durable events", (test) => {
  test("an event before the wait counts since the job was submitted, an earlier one does not", async ({ open }) => {
    const job = durable((ctx) => ctx.waitFor("go"));
    const bench = await open({ own: [job] });
    await emitted(bench, "go", "before the job");
    const id = await bench.submit("app.durable", {});
    await emitted(bench, "go", "before its worker");
    await bench.worker();
    expect((await bench.settled(id)).result).toBe("before its worker");
  });

  test("lookBack shortens that", async ({ open }) => {
    const inside = gate();
    const job = durable(async (ctx) => {
      await ctx.step("a", () => inside.pass());
      const recent = await ctx.waitFor("go", { lookBack: 0, timeout: "20ms" });
      const older = await ctx.waitFor("go", { lookBack: "1h", timeout: "20ms" });
      return { recent: recent ?? "timeout", older };
    });
    const bench = await served(open, { own: [job] });
    const id = await bench.submit("app.durable", {});
    await inside.reached;
    await emitted(bench, "go", "during the step");
    const emittedMs = Date.now();
    await bench.reaches(id, () => Date.now() > emittedMs);
    inside.open();
    expect((await bench.settled(id)).result).toEqual({ recent: "timeout", older: "during the step" });
  });

  test("a timeout is a value, and an event that comes after it is left for the next wait", async ({ open }) => {
    const job = durable(async (ctx) => [
      (await ctx.waitFor("go", { timeout: "20ms" })) ?? "late",
      await ctx.waitFor("go"),
    ]);
    const bench = await served(open, { own: [job] });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id, 2);
    await emitted(bench, "go", 1);
    expect((await bench.settled(id)).result).toEqual(["late", 1]);
  });

  test("match compares scalars at paths, exactly", async ({ open }) => {
    const job = durable((ctx) => ctx.waitFor("order", { match: { "order.id": 7, paid: true, note: null } }));
    const bench = await served(open, { own: [job] });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    for (const payload of [
      { order: { id: "7" }, paid: true, note: null },
      { order: { id: 7 }, paid: false, note: null },
      { order: { id: 7 }, paid: true },
      { order: { id: { x: 7 } }, paid: true, note: null },
      "text",
      null,
    ])
      expect((await emitted(bench, "order", payload)).given).toBe(0);
    expect((await emitted(bench, "other", { order: { id: 7 }, paid: true, note: null })).given).toBe(0);
    expect((await emitted(bench, "order", { order: { id: 7 }, paid: true, note: null, more: 1 })).given).toBe(1);
    expect((await bench.settled(id)).result).toMatchObject({ more: 1 });
  });

  test("a run is given each event once, in their order: a loop of waits gets them all", async ({ open }) => {
    const job = durable(async (ctx) => {
      const all: unknown[] = [];
      for (let n = 0; n < 6; n++)
        all.push(((await ctx.waitFor("message", { match: { to: "me" } })) as { n: number }).n);
      return all;
    });
    const bench = await open({ own: [job] });
    const id = await bench.submit("app.durable", {});
    for (let n = 0; n < 3; n++) await emitted(bench, "message", { to: "me", n });
    await bench.worker();
    for (let n = 3; n < 6; n++) await emitted(bench, "message", { to: "me", n });
    const { result } = await bench.settled(id);
    const expected = [0, 1, 2, 3, 4, 5];
    if (bench.backend.capabilities.eventOrder) expect(result).toEqual(expected);
    else expect((result as number[]).sort()).toEqual(expected);
  });

  test("an event goes to every job that waits for it, and to one of two waits of a job", async ({ open }) => {
    const job = durable((ctx) => ctx.all({ a: () => ctx.waitFor("go"), b: () => ctx.waitFor("go") }));
    const bench = await served(open, { own: [job] });
    const ids = await Promise.all([bench.submit("app.durable", {}), bench.submit("app.durable", {})]);
    for (const id of ids) await waits(bench, id);
    expect((await emitted(bench, "go", 1)).given).toBe(2);
    expect((await bench.status(ids[0])).state).toBe("waiting");
    await emitted(bench, "go", 2);
    for (const id of ids) expect((await bench.settled(id)).result).toEqual({ a: 1, b: 2 });
  });

  test("an event id is stored once", async ({ open }) => {
    const job = durable(async (ctx) => [
      await ctx.waitFor("go"),
      (await ctx.waitFor("go", { timeout: "30ms" })) ?? "none",
    ]);
    const bench = await served(open, { own: [job] });
    const id = await bench.submit("app.durable", {});
    expect(await emitted(bench, "go", 1, "e-1")).toMatchObject({ eventId: "e-1", existing: false });
    expect(await emitted(bench, "go", 2, "e-1")).toMatchObject({ eventId: "e-1", existing: true, given: 0 });
    expect((await emitted(bench, "other", 2, "e-1")).existing).toBe(false);
    expect((await bench.settled(id)).result).toEqual([1, "none"]);
  });

  test("a payload that does not fit the schema is INVALID_INPUT in the code that waits", async ({ open }) => {
    const schema = z.strictObject({ n: z.int() });
    const job = durable((ctx) => ctx.waitFor("go", { schema }).catch((error: AppError) => error.code));
    const bench = await served(open, { own: [job] });
    const id = await bench.submit("app.durable", {});
    await emitted(bench, "go", { n: "1" });
    expect((await bench.settled(id)).result).toBe("INVALID_INPUT");
  });

  test("wrong events are refused", async ({ open }) => {
    const bench = await open();
    for (const [event, payload, eventId] of [
      ["", 1],
      ["x".repeat(257), 1],
      ["a", undefined],
      ["a", 1, ""],
    ] as const)
      await expect(emitted(bench, event, payload === undefined ? () => 1 : payload, eventId)).rejects.toMatchObject({
        code: "INVALID_INPUT",
      });
  });

  test("events are kept while an unfinished run is older, and at least an hour", async ({ open }) => {
    const clock = new TestClock();
    const job = durable((ctx, { event }) => ctx.waitFor(String(event)));
    const bench = await served(open, { own: [job], clock, config: { "worker.tick": "10s" } });
    const id = await bench.submit("app.durable", { event: "first" });
    await waits(bench, id);
    await emitted(bench, "other", "old", "e");
    // The newest one stays in any case.
    await emitted(bench, "newer");
    await clock.advance(3 * 3_600_000);
    // Its round has run twice; the waiting run is older than the event.
    expect((await emitted(bench, "other", "old", "e")).existing).toBe(true);
    await emitted(bench, "first");
    await clock.advance(10);
    expect((await bench.settled(id)).state).toBe("completed");
    await clock.advance(2 * 3_600_000);
    expect((await emitted(bench, "other", "old", "e")).existing).toBe(false);
  }, 120_000);

  test("before, at the same instant and after the wait: none lost, none doubled", async ({ open }) => {
    const rounds = 300;
    const job = durable(async (ctx, { n }) => {
      await ctx.step("a", () => new Promise((resolve) => setImmediate(resolve)));
      return ctx.waitFor("go", { match: { n: Number(n) } });
    });
    const bench = await open({ own: [job] });
    await bench.worker({ concurrency: 50 });
    const random = seeded(7);
    const results = await Promise.all(
      Array.from({ length: rounds }, async (_, n) => {
        const id = await bench.submit("app.durable", { n });
        for (let turns = Math.floor(random() * 12); turns > 0; turns--)
          await new Promise((resolve) => setImmediate(resolve));
        await emitted(bench, "go", { n, n2: n });
        return (await bench.settled(id, 25_000)).result;
      }),
    );
    expect(results).toEqual(Array.from({ length: rounds }, (_, n) => ({ n, n2: n })));
  });
});
