import { expect } from "vitest";
import { durable, recorded, runDurable, served } from "../support/durable.ts";
import { TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", retries: 0 };

conformance("durable replay", (test) => {
  test("jobs retry --from: the next run takes over what was recorded before the call, by position or by name", async ({
    open,
  }) => {
    const made: string[] = [];
    const job = durable(async (ctx) => {
      const a = await ctx.step("a", () => made.push("a"));
      const b = await ctx.step("b", () => made.push("b"));
      await ctx.step("twice", () => 1);
      await ctx.step("twice", () => 2);
      return [a, b];
    });
    const bench = await served(open, { own: [job] });
    const { jobId } = await runDurable(bench);
    const by = { kind: "person", name: "t", via: "cli" } as const;
    for (const from of ["nonsense", "9", "0", "twice"])
      await expect(bench.backend.replay(jobId, by, { from }), from).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect((await bench.status(jobId)).runNumber).toBe(1);
    await bench.backend.replay(jobId, by, { from: "b" });
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", runNumber: 2, result: [1, 3] });
    await bench.backend.replay(jobId, by, { from: "1" });
    expect(await bench.settled(jobId)).toMatchObject({ runNumber: 3, result: [4, 5] });
    await bench.backend.replay(jobId, by);
    expect(await bench.settled(jobId)).toMatchObject({ runNumber: 4, result: [6, 7] });
    expect(made).toEqual(["a", "b", "b", "a", "b", "a", "b"]);
    expect((await recorded(bench, jobId, 2)).length).toBe(4);
  });

  test("jobs retry --from behind the last call: code that failed there and was mended goes on, and no step is run again", async ({
    open,
  }) => {
    const made: string[] = [];
    let broken = true;
    const job = durable(async (ctx) => {
      const paid = await ctx.step("charge", () => made.push("charge"));
      if (broken) throw new Error("a mistake behind the call");
      return [paid, await ctx.step("send", () => made.push("send"))];
    });
    const bench = await served(open, { own: [job] });
    const { jobId, state } = await runDurable(bench);
    expect(state).toBe("failed");
    broken = false;
    await expect(bench.backend.replay(jobId, TESTER, { from: "3" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("it has 1 (step charge); 2 keeps all of it"),
    });
    await bench.backend.replay(jobId, TESTER, { from: "2" });
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", runNumber: 2, result: [1, 2] });
    expect(made).toEqual(["charge", "send"]);
  });

  test("jobs retry --from is refused for a plain job", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const { jobId } = await bench.settled(await bench.submit("app.work", { name: "a" }));
    await expect(
      bench.backend.replay(jobId, { kind: "person", name: "t", via: "cli" }, { from: "1" }),
    ).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("a child belongs to its parent's run and position: the next run makes its own, one that begins behind it does not", async ({
    open,
  }) => {
    const job = durable(async (ctx) => {
      const child = await ctx.run("app.work", { name: "child" });
      await ctx.step("after", () => 1);
      return child;
    });
    const bench = await open({ own: [job], types: [work] });
    await bench.worker();
    const { jobId } = await runDurable(bench);
    const made = async () => (await bench.backend.list({ limit: 9, type: "app.work" })).jobs.length;
    expect(await made()).toBe(1);
    await bench.backend.replay(jobId, TESTER, { from: "after" });
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", runNumber: 2 });
    expect(await made()).toBe(1);
    await bench.replay(jobId);
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", runNumber: 3 });
    expect(await made()).toBe(2);
  });
});
