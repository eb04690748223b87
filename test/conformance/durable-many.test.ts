import { expect } from "vitest";
import { durable, emitted, recorded, waits } from "../support/durable.ts";
import { conformance } from "./backends.ts";

/** So many that an embedded backend moves records to their place more than once while the jobs run. */
const JOBS = 8;
const STEPS = 320;

conformance("durable jobs that run at once", (test) => {
  test("each has its own record, whole and in order; another worker answers every call from it", async ({ open }) => {
    const made = new Map<string, number>();
    const job = durable(async (ctx, { name }) => {
      let sum = 0;
      for (let n = 1; n <= STEPS; n++)
        sum += await ctx.step(`s${n}`, () => {
          const key = `${String(name)}/${n}`;
          made.set(key, (made.get(key) ?? 0) + 1);
          return n;
        });
      await ctx.waitFor("go");
      return sum;
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker({ concurrency: JOBS });
    const ids = await Promise.all(
      Array.from({ length: JOBS }, (_, n) => bench.submit("app.durable", { name: `j${n}` })),
    );
    for (const id of ids) await waits(bench, id);
    await first.stop({ graceMs: 0 });
    const calls = [...Array.from({ length: STEPS }, (_, n) => `${n + 1} step s${n + 1}`), `${STEPS + 1} waitFor go`];
    for (const id of ids) expect(await recorded(bench, id)).toEqual(calls);
    await bench.worker({ concurrency: JOBS });
    await emitted(bench, "go");
    for (const id of ids) expect((await bench.settled(id)).result).toBe((STEPS * (STEPS + 1)) / 2);
    expect(made.size).toBe(JOBS * STEPS);
    expect(new Set(made.values())).toEqual(new Set([1]));
  });
});
