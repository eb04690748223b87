import { expect } from "vitest";
import { settle } from "../support/clock.ts";
import { durable, emitted, gate, recorded, runDurable, served, waits } from "../support/durable.ts";
import type { Bench, Open } from "../support/test.ts";
import { conformance } from "./backends.ts";

type Body = Parameters<typeof durable>[0];

/** Runs one code up to its wait for `go`, and lets another one go on from its record. */
async function changed(open: Open, before: Body, after: Body): Promise<{ bench: Bench; id: string }> {
  const old = await open({ own: [durable(before)] });
  const first = await old.worker();
  const id = await old.submit("app.durable", {});
  await waits(old, id);
  await first.stop({ graceMs: 0 });
  const bench = await open({ own: [durable(after)], folder: old.folder });
  await bench.worker();
  await emitted(bench, "go");
  return { bench, id };
}

const twoSteps: Body = async (ctx) => {
  await ctx.step("a", () => 1);
  await ctx.step("b", () => 2);
  await ctx.waitFor("go");
};

conformance("durable order", (test) => {
  test("CONCURRENT_DURABLE_CALL on the first run: two calls at once, outside all", async ({ open }) => {
    const bodies: Readonly<Record<string, Body>> = {
      "Promise.all": (ctx) => Promise.all([ctx.step("a", () => 1), ctx.step("b", () => 2)]),
      "Promise.race": (ctx) => Promise.race([ctx.sleep("1h"), ctx.waitFor("go")]),
      "not awaited": async (ctx) => {
        void ctx.step("a", () => new Promise((resolve) => setTimeout(resolve, 50)));
        await ctx.step("b", () => 2);
      },
      "not awaited at the end": async (ctx) => void ctx.sleep("1h"),
      "inside a step": (ctx) => ctx.step("a", () => ctx.step("b", () => 2)),
      "two in one member of all": (ctx) =>
        ctx.all({
          a: () => {
            void ctx.step("a", () => 1);
            return ctx.step("b", () => 2);
          },
        }),
      "a second one in a member of all": (ctx) =>
        ctx.all({
          a: async () => {
            await ctx.step("a", () => 1);
            return ctx.step("b", () => 2);
          },
          c: () => ctx.sleep("100ms"),
        }),
      "all in all": (ctx) => ctx.all({ a: () => ctx.all({ b: () => ctx.step("b", () => 1) }) }),
      "all beside a call": (ctx) => Promise.all([ctx.step("a", () => 1), ctx.all({ b: () => ctx.step("b", () => 1) })]),
    };
    const bench = await served(open, { own: [durable((ctx, input) => bodies[String(input["case"])]?.(ctx, input))] });
    for (const name of Object.keys(bodies)) {
      const done = await runDurable(bench, { case: name });
      expect(done, name).toMatchObject({ state: "failed", attempt: 1, error: { code: "CONCURRENT_DURABLE_CALL" } });
    }
  });

  test("CONCURRENT_DURABLE_CALL cannot be caught: the call never settles", async ({ open }) => {
    const caught: unknown[] = [];
    const inside = gate();
    const job = durable(async (ctx) => {
      const first = ctx.step("a", () => inside.pass());
      try {
        await ctx.step("b", () => 2);
      } catch (error) {
        caught.push(error);
      } finally {
        caught.push("finally");
      }
      await first;
      return "swallowed";
    });
    const bench = await served(open, { own: [job] });
    const { state, error } = await runDurable(bench);
    expect({ state, error }).toMatchObject({
      state: "failed",
      error: {
        code: "CONCURRENT_DURABLE_CALL",
        message: expect.stringContaining('step "b" came while step "a" (position 1) is open'),
      },
    });
    inside.open();
    await settle();
    expect(caught).toEqual([]);
  });

  test("NON_DETERMINISTIC: other code at a position, with position, recorded and found", async ({ open }) => {
    const cases: readonly [string, Body, object][] = [
      [
        "another name",
        async (ctx) => {
          await ctx.step("a", () => 1);
          await ctx.step("c", () => 2);
          await ctx.waitFor("go");
        },
        { position: 2, recorded: 'step "b"', found: 'step "c"' },
      ],
      [
        "another kind",
        async (ctx) => {
          await ctx.sleep("1s");
          await ctx.step("b", () => 2);
          await ctx.waitFor("go");
        },
        { position: 1, recorded: 'step "a"', found: 'sleep "1s"' },
      ],
      [
        "other arguments",
        async (ctx) => {
          await ctx.step("a", () => 1);
          await ctx.step("b", () => 2);
          await ctx.waitFor("go", { match: { n: 1 } });
        },
        { position: 3, recorded: 'waitFor "go"', found: 'waitFor "go" with other arguments' },
      ],
      [
        "one more in front",
        async (ctx) => {
          await ctx.step("new", () => 0);
          await twoSteps(ctx, {});
        },
        { position: 1, recorded: 'step "a"', found: 'step "new"' },
      ],
    ];
    for (const [name, after, details] of cases) {
      const { bench, id } = await changed(open, twoSteps, after);
      const done = await bench.settled(id);
      expect(done, name).toMatchObject({ state: "failed", error: { code: "NON_DETERMINISTIC", details } });
      expect(done.error?.message).toContain(`position ${(details as { position: number }).position}: the record has`);
    }
  });

  test("NON_DETERMINISTIC: fewer calls than recorded, by a return and by a throw", async ({ open }) => {
    const early: readonly Body[] = [
      async (ctx) => ctx.step("a", () => 1),
      async (ctx) => {
        await ctx.step("a", () => 1);
        throw new Error("early");
      },
    ];
    for (const after of early) {
      const { bench, id } = await changed(open, twoSteps, after);
      expect(await bench.settled(id)).toMatchObject({
        state: "failed",
        error: { code: "NON_DETERMINISTIC", details: { position: 2, found: "the end of the job" } },
      });
    }
  });

  test("NON_DETERMINISTIC cannot be caught", async ({ open }) => {
    const { bench, id } = await changed(open, twoSteps, async (ctx) => {
      await ctx.step("other", () => 1).catch(() => undefined);
      return "swallowed";
    });
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "NON_DETERMINISTIC" } });
  });

  test("LIMIT_REACHED names continueAs, which is allowed at the limit itself", async ({ open }) => {
    const job = durable(async (ctx, { round = 1, calls }) => {
      // Many at once, so that they share commits.
      for (let left = Number(calls); left > 0; left -= 500) {
        const names = Array.from({ length: Math.min(500, left) }, (_, n) => `v${n}`);
        await ctx.all(Object.fromEntries(names.map((name) => [name, () => ctx.random()])));
      }
      if (round === 1) await ctx.continueAs({ round: 2, calls: 1 });
      return "done";
    });
    const bench = await open({ own: [job] });
    const { positionsMax } = bench.backend.capabilities;
    await bench.worker();
    const over = await bench.submit("app.durable", { calls: positionsMax + 1 });
    const at = await bench.submit("app.durable", { calls: positionsMax });
    expect(await bench.settled(over, 60_000)).toMatchObject({
      state: "failed",
      error: { code: "LIMIT_REACHED", message: expect.stringContaining("ctx.continueAs") },
    });
    expect(await bench.settled(at, 60_000)).toMatchObject({ state: "completed", runNumber: 2, result: "done" });
    expect((await recorded(bench, at)).length).toBe(positionsMax + 1);
  }, 90_000);
});
