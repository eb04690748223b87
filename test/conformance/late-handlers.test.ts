import { expect } from "vitest";
import { z } from "zod";
import type { JobContext } from "../../src/job/context.ts";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import { conformance } from "./backends.ts";

/** A type whose first handler does not listen and calls `late` when the test says so. */
function deafType(late: (ctx: JobContext) => Promise<unknown>): {
  type: JobType;
  goOn: () => void;
  came: Promise<unknown>;
} {
  let goOn = (): void => undefined;
  let onCame = (_: unknown): void => undefined;
  const going = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const came = new Promise<unknown>((resolve) => {
    onCame = resolve;
  });
  const type = defineJob({
    name: "app.deaf",
    input: z.strictObject({ hold: z.boolean().optional() }),
    // The second attempt is to keep within it, on a busy machine too.
    timeout: { default: "500ms" },
    retries: 1,
    backoff: { first: "10ms", jitter: 0 },
    run: async (_, ctx) => {
      if (ctx.attempt === 2) {
        ctx.progress({ done: 2 });
        return "second";
      }
      await going;
      onCame(await late(ctx).catch((error: unknown) => error));
      return "first";
    },
  });
  return { type, goOn, came };
}

conformance("a handler that outlives its attempt", (test) => {
  test.concurrent("enqueues nothing any more", async ({ open }) => {
    const { type, goOn, came } = deafType((ctx) => ctx.enqueue("app.work", { name: "late" }));
    const bench = await open({ own: [type], types: [{ name: "app.work" }] });
    // In one lease with a job that goes on.
    const id = await bench.submit("app.deaf", {});
    const neighbour = await bench.submit("app.work", { name: "neighbour", hold: true });
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2, result: "second" });
    goOn();
    expect(await came).toMatchObject({ code: "LEASE_LOST" });
    bench.effects.release("neighbour");
    await bench.settled(neighbour);
    expect((await bench.backend.list({ limit: 10 })).jobs.length).toBe(2);
  });

  test.concurrent("reports no progress any more", async ({ open }) => {
    const { type, goOn, came } = deafType(async (ctx) => ctx.progress({ done: 99 }));
    const bench = await open({ own: [type], types: [{ name: "app.work" }] });
    const id = await bench.submit("app.deaf", {});
    const neighbour = await bench.submit("app.work", { name: "neighbour", hold: true });
    await bench.worker();
    await bench.settled(id);
    goOn();
    await came;
    bench.effects.release("neighbour");
    await bench.settled(neighbour);
    expect((await bench.status(id)).progress).toEqual({ done: 2 });
  });

  test.concurrent("keeps files in the folder of its own attempt only", async ({ open }) => {
    const { type, goOn, came } = deafType((ctx) => ctx.keep("late.txt", "late"));
    const bench = await open({ own: [type] });
    const id = await bench.submit("app.deaf", {});
    await bench.worker();
    await bench.settled(id);
    goOn();
    await came;
    expect(await bench.backend.artifacts.manifest(id)).toBeUndefined();
  });
});
