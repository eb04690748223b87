import { expect } from "vitest";
import { AppError } from "../../src/error.ts";
import type { DurableContext } from "../../src/job/durable/context.ts";
import { durable, emitted, gate, goesOnElsewhere, recorded, runDurable, served } from "../support/durable.ts";
import { conformance } from "./backends.ts";

conformance("durable traps", (test) => {
  test("what changes between the calls and decides which are made is NON_DETERMINISTIC; from a recorded call it is not", async ({
    open,
  }) => {
    let outside = 0;
    const branching = durable(async (ctx, { recordsIt }) => {
      const round = recordsIt === true ? await ctx.step("look", () => ++outside) : ++outside;
      await ctx.step(round === 1 ? "first" : "second", () => 1);
      await ctx.waitFor("go");
      return round;
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [branching] });
    expect(await bench.settled(id)).toMatchObject({
      state: "failed",
      error: { code: "NON_DETERMINISTIC", details: { position: 1, recorded: 'step "first"', found: 'step "second"' } },
    });
    outside = 0;
    const well = await goesOnElsewhere(open, { own: [branching] }, { input: { recordsIt: true } });
    expect(await well.bench.settled(well.id)).toMatchObject({ state: "completed", result: 1 });
  });

  test("ctx.now, ctx.random and ctx.uuid may decide: a replay takes the same branch", async ({ open }) => {
    const taken: string[] = [];
    const job = durable(async (ctx) => {
      const branch = `${(await ctx.now()).getTime()} ${await ctx.random()} ${await ctx.uuid()}`;
      taken.push(branch);
      await ctx.step(branch, () => 1);
      await ctx.waitFor("go");
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job] });
    expect((await bench.settled(id)).state).toBe("completed");
    expect(taken.length).toBe(2);
    expect(taken[0]).toBe(taken[1]);
  });

  // Node runs a user's TypeScript without checking it, and a wait whose timeout is passed over never ends.
  test("an option that a call does not have is INVALID_INPUT, and names the nearest", async ({ open }) => {
    const calls: Readonly<Record<string, (ctx: DurableContext) => Promise<unknown>>> = {
      'step "a": there is no option retires; did you mean retries?': (ctx) =>
        ctx.step("a", () => 1, { retires: 2 } as object),
      'step "a": backoff: there is no option frist; did you mean first?': (ctx) =>
        ctx.step("a", () => 1, { backoff: { frist: "1s" } as object }),
      'waitFor "e": there is no option timeot; did you mean timeout?': (ctx) =>
        ctx.waitFor("e", { timeot: "1s" } as object),
      "approve: there is no option expireIn; did you mean expiresIn?": (ctx) =>
        ctx.approve({ title: "t", ...({ expireIn: "1h" } as object) }),
      "run of app.work: there is no option timout; did you mean timeout?": (ctx) =>
        ctx.run("app.work", {}, { timout: "1s" } as object),
      "run of app.work: there is no option detached": (ctx) => ctx.run("app.work", {}, { detached: true } as object),
      "enqueue of app.work: there is no option detach; did you mean detached?": (ctx) =>
        ctx.enqueue("app.work", {}, { detach: true } as object),
    };
    const said: string[] = [];
    const job = durable(async (ctx) => {
      for (const call of Object.values(calls))
        await call(ctx).catch((error: unknown) =>
          said.push(error instanceof AppError ? `${error.code} ${error.message}` : ""),
        );
    });
    const bench = await served(open, { own: [job] });
    expect((await runDurable(bench)).state).toBe("completed");
    expect(said).toEqual(Object.keys(calls).map((message) => expect.stringContaining(`INVALID_INPUT ${message}`)));
  });

  test("ctx.attempt counts every going on, live and elsewhere", async ({ open }) => {
    const seen: number[] = [];
    const job = durable(async (ctx) => {
      seen.push(ctx.attempt);
      await ctx.sleep("5ms");
      seen.push(ctx.attempt);
      await ctx.waitFor("go");
      seen.push(ctx.attempt);
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job] }, { attempt: 2 });
    expect((await bench.settled(id)).attempt).toBe(3);
    // The code ran from the top in the third: it passes all three places again.
    expect(seen).toEqual([1, 2, 3, 3, 3]);
  });

  test("an error that leaves the code is final, also one that a plain job would try again", async ({ open }) => {
    let begun = 0;
    const job = durable(async (ctx) => {
      begun++;
      await ctx.step("a", () => 1);
      throw new AppError("HOST_UNREACHABLE", "not there");
    });
    const bench = await served(open, { own: [job] });
    expect(await runDurable(bench)).toMatchObject({
      state: "failed",
      attempt: 1,
      error: { code: "HOST_UNREACHABLE" },
    });
    expect(begun).toBe(1);
  });

  test("what a step returns after its worker gave the job back counts for nothing", async ({ open }) => {
    const inside = gate<string>();
    let made = 0;
    const job = durable((ctx) => ctx.step("a", () => (++made === 1 ? inside.pass() : "new")));
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await inside.reached;
    await first.stop({ graceMs: 0 });
    inside.open("old");
    await new Promise((resolve) => setImmediate(resolve));
    expect(await recorded(bench, id)).toEqual([]);
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: "new" });
    expect(made).toBe(2);
  });

  test("a step is at least once: what it did before its worker was told to stop, it does again, and its record is one", async ({
    open,
  }) => {
    const inside = gate();
    let effects = 0;
    const job = durable(async (ctx) => {
      await ctx.waitFor("go");
      return ctx.step("charge", async ({ signal }) => {
        // Once done and not recorded: its worker goes while it answers.
        if (++effects > 1) return effects;
        void inside.pass();
        await new Promise((_, reject) => signal.addEventListener("abort", reject));
        return effects;
      });
    });
    const bench = await open({ own: [job] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await emitted(bench, "go");
    await inside.reached;
    await first.stop({ graceMs: 0 });
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: 2 });
    expect(await recorded(bench, id)).toEqual(["1 waitFor go", "2 step charge"]);
  });
});
