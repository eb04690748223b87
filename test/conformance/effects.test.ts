import { expect } from "vitest";
import { z } from "zod";
import type { EffectContext, Handlers } from "../../src/attempt/handlers.ts";
import type { BackendWorker, ServeOptions } from "../../src/backend/serving.ts";
import { AppError } from "../../src/error.ts";
import { machineIdentity } from "../../src/host/local/machine.ts";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import { secretText } from "../../src/job/secret.ts";
import { TestClock } from "../support/clock.ts";
import { gate } from "../support/durable.ts";
import type { Bench } from "../support/test.ts";
import { conformance } from "./backends.ts";

const Input = z.strictObject({ record: z.boolean().default(true) });

/** A type that acts outside, with the parts that only built-in types have. */
function actsOutside(afterCrash: "rerun" | "stop"): JobType {
  return defineJob({ name: "app.outside", input: Input, recordsEffects: true, afterCrash, retries: 0 });
}

/** A worker whose type has handlers of the test's own. */
async function serve(
  bench: Bench,
  type: JobType,
  handlers: Handlers,
  secret: (name: string) => string | undefined = () => undefined,
  checkPolicy: ServeOptions["checkPolicy"] = () => undefined,
) {
  const worker = await bench.backend.serve({
    types: [{ type, handlers }],
    concurrency: 5,
    labels: {},
    onStuck: "report",
    claims: true,
    prepareChild: () => expect.fail("no children here"),
    submitChild: () => expect.fail("no children here"),
    checkPolicy,
    demandOf: () => expect.fail("nobody is asked here"),
    judge: () => expect.fail("nothing is approved here"),
    fireSchedules: async () => undefined,
    secret,
  });
  return worker;
}

/** Stops a worker whose time is moved by hand. */
async function stopBy(clock: TestClock, worker: BackendWorker): Promise<void> {
  const stopped = worker.stop({ graceMs: 0 });
  await clock.advance(10);
  await stopped;
}

/** Records an effect where it is asked to, then waits for its signal. */
function starts(onStarted: () => void): Handlers["run"] {
  return async ({ record }: z.output<typeof Input>, ctx: EffectContext) => {
    if (record) await ctx.recordEffect({ machine: machineIdentity(), facts: { pid: 7 } });
    onStarted();
    await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
  };
}

conformance("recorded effects", (test) => {
  test.concurrent("an effect that was recorded goes to the next attempt, which adopts it whatever the crash rule", async ({
    open,
  }) => {
    const bench = await open({ own: [actsOutside("stop")] });
    let started = 0;
    const worker = await serve(bench, actsOutside("stop"), { run: starts(() => started++) });
    const id = await bench.submit("app.outside", {});
    await bench.reaches(id, () => started === 1);
    await worker.stop({ graceMs: 0 });
    expect((await bench.status(id)).state).toBe("queued");
    const next = await serve(bench, actsOutside("stop"), {
      run: () => expect.fail("it was started a second time"),
      adopt: async (_, effect) => ({ kind: "result", result: effect.facts }),
    });
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2, result: { pid: 7 } });
    await next.stop({ graceMs: 0 });
  });

  test.concurrent("a policy that denies it by now lets what was started end under a worker's eyes, and begins nothing", async ({
    open,
  }) => {
    const denies = (): never => {
      throw new AppError("POLICY_DENIED", "not any more");
    };
    const bench = await open({ own: [actsOutside("rerun")] });
    for (const [adopted, end] of [
      [{ kind: "result", result: "its own" } as const, { state: "completed", result: "its own" }],
      [{ kind: "unknown", reason: "gone" } as const, { state: "failed", error: { code: "POLICY_DENIED" } }],
      [{ kind: "not-begun" } as const, { state: "failed", error: { code: "POLICY_DENIED" } }],
    ] as const) {
      let started = 0;
      const worker = await serve(bench, actsOutside("rerun"), { run: starts(() => started++) });
      const id = await bench.submit("app.outside", {});
      await bench.reaches(id, () => started === 1);
      await worker.stop({ graceMs: 0 });
      const handlers: Handlers = { run: () => expect.fail("it was begun"), adopt: async () => adopted };
      const next = await serve(bench, actsOutside("rerun"), handlers, undefined, denies);
      expect(await bench.settled(id)).toMatchObject(end);
      await next.stop({ graceMs: 0 });
    }
  });

  test.concurrent("an adoption that finds nothing leaves it to the crash rule", async ({ open }) => {
    for (const [rule, end] of [
      ["rerun", { state: "completed", result: "again" }],
      ["stop", { state: "failed", outcome: "unknown", error: { code: "OUTCOME_UNKNOWN" } }],
    ] as const) {
      const bench = await open({ own: [actsOutside(rule)] });
      let started = 0;
      const worker = await serve(bench, actsOutside(rule), { run: starts(() => started++) });
      const id = await bench.submit("app.outside", {});
      await bench.reaches(id, () => started === 1);
      await worker.stop({ graceMs: 0 });
      const next = await serve(bench, actsOutside(rule), {
        run: () => "again",
        adopt: async () => ({ kind: "unknown", reason: "nothing is there" }),
      });
      expect(await bench.settled(id)).toMatchObject(end);
      await next.stop({ graceMs: 0 });
    }
  });

  test.concurrent("an effect that would have been recorded and was not has never started: it runs, whatever the crash rule", async ({
    open,
  }) => {
    const bench = await open({ own: [actsOutside("stop")] });
    let started = 0;
    const worker = await serve(bench, actsOutside("stop"), { run: starts(() => started++) });
    const id = await bench.submit("app.outside", { record: false });
    await bench.reaches(id, () => started === 1);
    await worker.stop({ graceMs: 0 });
    const next = await serve(bench, actsOutside("stop"), { run: () => "first" });
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: "first" });
    await next.stop({ graceMs: 0 });
  });

  test("an effect of another machine is left to its workers for job.adopt_wait, from the loss of its worker on", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ own: [actsOutside("rerun")], config: { "job.adopt_wait": "1m" }, clock });
    const worker = await serve(bench, actsOutside("rerun"), {
      run: async (_: unknown, ctx: EffectContext) => {
        await ctx.recordEffect({ machine: { ...machineIdentity(), host: "elsewhere" }, facts: {} });
        await new Promise((_resolve, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
      },
    });
    const id = await bench.submit("app.outside", {});
    await clock.advance(300_000);
    await stopBy(clock, worker);
    const next = await serve(bench, actsOutside("rerun"), {
      run: () => "after the wait",
      adopt: () => expect.fail("it is not this machine's"),
    });
    await clock.advance(55_000);
    expect((await bench.backend.explain(id)).reason).toBe("adopt");
    await clock.advance(10_000);
    expect(await bench.status(id)).toMatchObject({ state: "completed", result: "after the wait" });
    await stopBy(clock, next);
  });

  test("a worker without the job's secret leaves an effect to one that has it", async ({ open }) => {
    const clock = new TestClock();
    const type = defineJob({
      name: "app.outside",
      input: z.strictObject({ token: secretText() }),
      secrets: ["TOKEN"],
      recordsEffects: true,
      retries: 0,
    });
    const bench = await open({ own: [type], clock, environment: { TOKEN: "t" } });
    const worker = await serve(
      bench,
      type,
      {
        run: async (_: unknown, ctx: EffectContext) => {
          await ctx.recordEffect({ machine: machineIdentity(), facts: {} });
          await new Promise((_resolve, reject) =>
            ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)),
          );
        },
      },
      (name) => (name === "TOKEN" ? "t" : undefined),
    );
    const id = await bench.submit("app.outside", { token: { $secret: "TOKEN" } });
    await clock.advance(1_000);
    await stopBy(clock, worker);
    const without = await serve(bench, type, { run: () => "twice", adopt: () => expect.fail("it has no secret") });
    await clock.advance(5_000);
    expect(await bench.status(id)).toMatchObject({ state: "queued", error: null });
    await stopBy(clock, without);
    const found: Handlers["adopt"] = async () => ({ kind: "result", result: "adopted" });
    const next = await serve(bench, type, { run: () => "twice", adopt: found }, () => "t");
    await clock.advance(5_000);
    expect(await bench.status(id)).toMatchObject({ state: "completed", result: "adopted" });
    await stopBy(clock, next);
  });

  test.concurrent("a worker that lost its lease may not start an effect", async ({ open }) => {
    const bench = await open({ own: [actsOutside("rerun")] });
    const tooLate = gate();
    const answer = Promise.withResolvers<unknown>();
    const worker = await serve(bench, actsOutside("rerun"), {
      run: async (_: unknown, ctx: EffectContext) => {
        await tooLate.pass();
        answer.resolve(await ctx.recordEffect({ machine: machineIdentity(), facts: {} }).catch((error) => error));
        return "late";
      },
    });
    const id = await bench.submit("app.outside", {});
    await tooLate.reached;
    await worker.stop({ graceMs: 0 });
    const next = await serve(bench, actsOutside("rerun"), { run: () => "second" });
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: "second" });
    tooLate.open();
    expect(await answer.promise).toMatchObject({ code: "LEASE_LOST" });
    await next.stop({ graceMs: 0 });
  });

  test.concurrent("what an attempt waits for outside its own work is not counted against its timeout, up to a bound", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ own: [actsOutside("stop")], clock });
    const gates: (() => void)[] = [];
    const worker = await serve(bench, actsOutside("stop"), {
      run: async (_: unknown, ctx: EffectContext) => {
        const stopped = new Promise((_, reject) =>
          ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)),
        );
        await ctx.outsideTimeout(10_000, () => Promise.race([new Promise<void>((go) => gates.push(go)), stopped]));
        await stopped;
      },
    });
    const submit = async (options = {}): Promise<string> => {
      const id = await bench.submit("app.outside", {}, { timeout: "1s", ...options });
      await bench.reaches(id, ({ state }) => state === "running");
      return id;
    };
    const started = await submit();
    const hangs = await submit();
    const hurried = await submit({ deadline: "5s" });
    await clock.advance(4_000);
    gates[0]?.();
    await clock.advance(900);
    expect((await bench.status(started)).state).toBe("running");
    await clock.advance(200);
    expect(await bench.status(started)).toMatchObject({ state: "failed", error: { code: "TIMEOUT" } });
    expect(await bench.status(hurried)).toMatchObject({ state: "failed", error: { code: "DEADLINE_EXCEEDED" } });
    await clock.advance(5_800);
    expect((await bench.status(hangs)).state).toBe("running");
    await clock.advance(200);
    expect(await bench.status(hangs)).toMatchObject({ state: "failed", error: { code: "TIMEOUT" } });
    await stopBy(clock, worker);
  });

  test.concurrent("work whose evidence is missing is not complete: failed, partial, with what there is", async ({
    open,
  }) => {
    const bench = await open({ own: [actsOutside("stop")] });
    const worker = await serve(bench, actsOutside("stop"), {
      keeps: () => ["out.txt", "shots/1.png"],
      run: async ({ record }: z.output<typeof Input>, ctx: EffectContext) => {
        await ctx.keep("out.txt", "x");
        if (record) await ctx.keep("shots/1.png", "y");
        return "done";
      },
    });
    const whole = await bench.submit("app.outside", {});
    expect(await bench.settled(whole)).toMatchObject({ state: "completed", result: "done" });
    const half = await bench.submit("app.outside", { record: false });
    expect(await bench.settled(half)).toMatchObject({
      state: "failed",
      outcome: "partial",
      error: { code: "ARTIFACT_MISSING", message: expect.stringMatching(/not there: shots\/1\.png$/) },
    });
    expect((await bench.backend.artifacts.manifest(half))?.files).toMatchObject([{ path: "out.txt" }]);
    await worker.stop({ graceMs: 0 });
  });
});
