import { expect } from "vitest";
import { z } from "zod";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

conformance("durable thin", (test) => {
  test("step, sleep, wait, child", async ({ open }) => {
    const made: string[] = [];
    const job = defineDurableJob({
      name: "app.thin",
      input: z.strictObject({ n: z.int() }),
      async run({ n }, ctx) {
        const a = await ctx.step("a", () => {
          made.push("a");
          return n + 1;
        });
        await ctx.sleep("20ms");
        const event = await ctx.waitFor("go", { match: { n } });
        const child = await ctx.run("app.work", { name: "c", returns: 7 });
        const both = await ctx.all({
          x: () => ctx.step("x", () => 1),
          y: () => ctx.sleep("10ms"),
          z: () => ctx.uuid(),
        });
        return { a, event, child, x: both.x };
      },
    });
    const bench = await open({ own: [job], types: [{ name: "app.work" }] });
    await bench.worker();
    const id = await bench.submit("app.thin", { n: 3 });
    await bench.reaches(id, ({ state }) => state === "waiting");
    await bench.backend.emit({ event: "go", payload: { n: 4 } }, TESTER);
    await bench.backend.emit({ event: "go", payload: { n: 3, text: "yes" } }, TESTER);
    const done = await bench.settled(id);
    expect(done.error).toBe(null);
    expect(done.result).toEqual({
      a: 4,
      event: { n: 3, text: "yes" },
      child: { name: "c", attempt: 1, value: 7 },
      x: 1,
    });
    expect(made).toEqual(["a"]);
  });

  test("replay in another process of the same thing", async ({ open }) => {
    const made: string[] = [];
    const job = defineDurableJob({
      name: "app.thin",
      input: z.strictObject({}),
      async run(_, ctx) {
        const a = await ctx.step("a", () => void made.push("a"));
        const id = await ctx.uuid();
        await ctx.waitFor("go");
        return { a, id: id.length };
      },
    });
    const bench = await open({ own: [job] });
    const worker = await bench.worker();
    const id = await bench.submit("app.thin", {});
    await bench.reaches(id, ({ state }) => state === "waiting");
    await worker.stop({ graceMs: 0 });
    await bench.worker();
    await bench.backend.emit({ event: "go", payload: null }, TESTER);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: { id: 36 }, error: null });
    expect(made).toEqual(["a"]);
  });
});
