import { expect } from "vitest";
import { z } from "zod";
import { AppError } from "../../src/error.ts";
import { defineJob } from "../../src/job/definition.ts";
import { durable, emitted, goesOnElsewhere, runDurable, served, typed, waits } from "../support/durable.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", retries: 0 };

conformance("durable children", (test) => {
  test("run: the result as its type reads it; the same child on replay", async ({ open }) => {
    const seen: unknown[] = [];
    const job = durable(async (ctx) => {
      const { at } = await ctx.run(typed, { n: 5 });
      seen.push(at);
      await ctx.waitFor("go");
    });
    const { bench, id } = await goesOnElsewhere(
      open,
      { own: [job, typed] },
      { submit: { traceId: "trace-3" }, attempt: 2 },
    );
    await bench.settled(id);
    expect(seen).toEqual([new Date(5), new Date(5)]);
    const children = (await bench.backend.list({ limit: 9, type: "app.typed" })).jobs;
    expect(children.length).toBe(1);
    expect(await bench.status(children[0]?.jobId ?? "")).toMatchObject({
      traceId: "trace-3",
      actor: { kind: "job", name: id },
    });
  });

  test("run: a failure crosses as the child's code, message and details, with its id", async ({ open }) => {
    const failing = defineJob({
      name: "app.failing",
      input: z.strictObject({}),
      retries: 0,
      run: () => {
        throw new AppError("EXIT_NONZERO", "it said 3", { details: { exit_code: 3 } });
      },
    });
    const job = durable((ctx) =>
      ctx.run(failing, {}).catch(({ code, message, details }: AppError) => ({ code, message, details })),
    );
    const bench = await served(open, { own: [job, failing] });
    const [child] = [await runDurable(bench)];
    expect(child.result).toMatchObject({
      code: "EXIT_NONZERO",
      message: "it said 3",
      details: { exit_code: 3, job_id: expect.any(String) },
    });
  });

  test("run: a child that is started over changes nothing of what its parent recorded", async ({ open }) => {
    const seen: unknown[] = [];
    const child = durable((ctx) => ctx.uuid(), { name: "app.child" });
    const job = durable(async (ctx) => {
      seen.push(await ctx.run("app.child", {}));
      await ctx.waitFor("go");
    });
    const bench = await open({ own: [job, child] });
    const first = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id, 2);
    const [made] = (await bench.backend.list({ limit: 9, type: "app.child" })).jobs;
    await bench.replay(made?.jobId ?? "");
    const again = await bench.reaches(
      made?.jobId ?? "",
      ({ runNumber, state }) => runNumber === 2 && state === "completed",
    );
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    expect((await bench.settled(id)).state).toBe("completed");
    expect(seen).toEqual([seen[0], seen[0]]);
    expect(again.result).not.toBe(seen[0]);
  });

  test("run: a refusal of the submit is recorded and answered alike", async ({ open }) => {
    const codes: string[] = [];
    const job = durable(async (ctx) => {
      await ctx.run("app.work", { nonsense: 1 }).catch((error: AppError) => codes.push(error.code));
      await ctx.run("app.nothing", {}).catch((error: AppError) => codes.push(error.code));
      await ctx.waitFor("go");
    });
    const { bench, id } = await goesOnElsewhere(open, { own: [job], types: [work] });
    await bench.settled(id);
    expect(codes).toEqual(["INVALID_INPUT", "UNKNOWN_JOB_TYPE", "INVALID_INPUT", "UNKNOWN_JOB_TYPE"]);
  });

  test("enqueue: it does not wait; the options are those of any call", async ({ open }) => {
    const job = durable((ctx) => ctx.enqueue("app.work", { name: "c" }, { delay: "1h", metadata: { of: "child" } }));
    const bench = await served(open, { own: [job], types: [work] });
    const { result, attempt } = await runDurable(bench);
    expect(attempt).toBe(1);
    expect(await bench.status((result as { jobId: string }).jobId)).toMatchObject({
      state: "scheduled",
      metadata: { of: "child" },
    });
  });

  test("cancelling a parent that waits cancels its children, but not a detached one", async ({ open }) => {
    const job = durable(async (ctx) => {
      await ctx.enqueue("app.work", { name: "attached", hold: true });
      await ctx.enqueue("app.work", { name: "detached", hold: true }, { detached: true });
      await ctx.run("app.work", { name: "awaited", hold: true });
    });
    const bench = await served(open, { own: [job], types: [work] });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    for (const name of ["attached", "detached", "awaited"]) await bench.effects.seen(name, "start");
    await bench.cancel(id);
    await bench.effects.seen("attached", "stopped");
    await bench.effects.seen("awaited", "stopped");
    bench.effects.release("detached");
    await bench.effects.seen("detached", "end");
    expect(bench.effects.count("detached", "stopped")).toBe(0);
  });

  test("a cancel goes down through children that wait for children, and past none but a detached one", async ({
    open,
  }) => {
    const leaf = (name: string) => ({ name, hold: true });
    const middle = durable(
      async (ctx) => {
        await ctx.enqueue("app.work", leaf("attached"));
        await ctx.enqueue("app.work", leaf("detached"), { detached: true });
        await ctx.run("app.work", leaf("awaited"));
      },
      { name: "app.middle" },
    );
    const job = durable((ctx) => ctx.run("app.middle", {}));
    const bench = await open({ own: [job, middle], types: [work] });
    await bench.worker();
    const id = await bench.submit("app.durable", {});
    for (const name of ["attached", "detached", "awaited"]) await bench.effects.seen(name, "start");
    await bench.cancel(id);
    expect((await bench.settled(id)).state).toBe("cancelled");
    for (const name of ["attached", "awaited"])
      expect(await bench.effects.seen(name, "stopped")).toMatchObject({ reason: "cancelled" });
    const [between] = (await bench.backend.list({ limit: 9, type: "app.middle" })).jobs;
    expect((await bench.settled(between?.jobId ?? "")).state).toBe("cancelled");
    bench.effects.release("detached");
    await bench.effects.seen("detached", "end");
    expect(bench.effects.count("detached", "stopped")).toBe(0);
  });

  test("a child that is cancelled alone rejects in its parent", async ({ open }) => {
    const job = durable((ctx) => ctx.run("app.work", { name: "c", hold: true }).catch((error: AppError) => error.code));
    const bench = await served(open, { own: [job], types: [work] });
    const id = await bench.submit("app.durable", {});
    const { jobId } = await bench.effects.seen("c", "start");
    await bench.cancel(jobId);
    expect((await bench.settled(id)).result).toBe("CANCELLED");
  });

  test("CONCURRENCY_DEADLOCK: an awaited child that needs a key of an ancestor that waits for it is refused; one that nobody waits for is not", async ({
    open,
  }) => {
    const lock = { locks: ["one"] };
    const leaf = durable(() => "leaf", { name: "app.leaf", ...lock });
    const middle = durable((ctx) => ctx.run("app.leaf", {}).catch((error: AppError) => error.code), {
      name: "app.middle",
    });
    const job = durable(
      async (ctx) => [
        await ctx.run("app.leaf", {}).catch((error: AppError) => error.code),
        await ctx.run("app.middle", {}),
        (await ctx.enqueue("app.leaf", {})).jobId.length,
        (await ctx.enqueue("app.middle", {})).jobId,
      ],
      lock,
    );
    const bench = await served(open, { own: [leaf, middle, job] });
    const { result } = await runDurable(bench);
    const [first, second, third, free] = result as string[];
    expect([first, second, third]).toEqual(["CONCURRENCY_DEADLOCK", "CONCURRENCY_DEADLOCK", 36]);
    expect((await bench.settled(free ?? "")).result).toBe("leaf");
  });

  test("run: a child that a full key ends at once rejects in its parent", async ({ open }) => {
    const keyed = { ...work, concurrency: [{ limit: 1, strategy: "cancel-newest" as const }] };
    const job = durable((ctx) => ctx.run("app.work", { name: "b" }).catch((error: AppError) => error.code));
    const bench = await served(open, { own: [job], types: [keyed] });
    const holder = await bench.submit("app.work", { name: "a", hold: true });
    await bench.effects.seen("a", "start");
    expect(await runDurable(bench)).toMatchObject({ state: "completed", result: "CANCELLED" });
    bench.effects.release("a");
    await bench.settled(holder);
  });

  test("children in all: a hundred at once, joined", async ({ open }) => {
    const job = durable(async (ctx) => {
      const names = Array.from({ length: 100 }, (_, n) => `c${n}`);
      const made = await ctx.all(Object.fromEntries(names.map((name) => [name, () => ctx.run("app.typed", { n: 1 })])));
      return Object.keys(made).length;
    });
    const bench = await served(open, { own: [job, typed] });
    expect((await runDurable(bench)).result).toBe(100);
  });
});
