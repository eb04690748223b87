import { expect } from "vitest";
import { z } from "zod";
import type { ChildOptions } from "../../src/job/context.ts";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", backoff: { first: "10ms", jitter: 0 } };

/** Enqueues one child with options, fails as often as it is told, and returns the child's id. */
function parentType(options: ChildOptions, fails = 0): JobType {
  return defineJob({
    name: "app.parent",
    input: z.strictObject({ names: z.array(z.string()) }),
    backoff: { first: "10ms", jitter: 0 },
    run: async ({ names }, ctx) => {
      const ids: string[] = [];
      for (const name of names) {
        // The input differs from attempt to attempt: the place in the code names the child, not what it is given.
        const { jobId } = await ctx.enqueue("app.work", { name, key: String(ctx.attempt) }, options);
        ids.push(jobId);
      }
      if (ctx.attempt <= fails) throw new Error("after its children");
      return ids;
    },
  });
}

conformance("children", (test) => {
  // Node runs a user's TypeScript without checking it, and a delay that is passed over is no delay.
  test("an option that a child cannot have is refused, and no child is made", async ({ open }) => {
    const bench = await open({ types: [work], own: [parentType({ delya: "1h" } as object)] });
    await bench.worker();
    const parent = await bench.submit("app.parent", { names: ["c"] }, { retries: 0 });
    expect(await bench.settled(parent)).toMatchObject({
      state: "failed",
      error: {
        code: "INVALID_INPUT",
        message: expect.stringContaining("enqueue of app.work: there is no option delya; did you mean delay?"),
      },
    });
    expect((await bench.backend.list({ limit: 9, type: "app.work" })).jobs).toEqual([]);
  });

  test("a child belongs to its parent: same trace, the strictest actor", async ({ open }) => {
    const bench = await open({ types: [work], own: [parentType({})] });
    await bench.worker();
    const parent = await bench.submit("app.parent", { names: ["c"] }, { traceId: "trace-7" });
    const { result } = await bench.settled(parent);
    const [child = ""] = result as string[];
    expect(await bench.settled(child)).toMatchObject({
      state: "completed",
      traceId: "trace-7",
      actor: { kind: "job", name: parent },
    });
  });

  test("an attempt that is tried again gets its first children back, whatever it gives them", async ({ open }) => {
    const bench = await open({ types: [work], own: [parentType({}, 2)] });
    await bench.worker();
    const parent = await bench.submit("app.parent", { names: ["c1", "c2"] });
    expect(await bench.settled(parent)).toMatchObject({ state: "completed", attempt: 3 });
    const children = (await bench.backend.list({ limit: 10, type: "app.work" })).jobs;
    expect(children.length).toBe(2);
    for (const { jobId } of children) await bench.settled(jobId);
    expect(bench.effects.of("c1", "start").map(({ key }) => key)).toEqual(["1"]);
  });

  test("a key of its own names a child instead of its place in the code", async ({ open }) => {
    const bench = await open({ types: [work], own: [parentType({ key: "only" })] });
    await bench.worker();
    const parent = await bench.submit("app.parent", { names: ["c1", "c2", "c3"] });
    const { result } = await bench.settled(parent);
    expect(new Set(result as string[]).size).toBe(1);
  });

  test("a run that was started over makes children of its own", async ({ open }) => {
    const bench = await open({ types: [work], own: [parentType({})] });
    await bench.worker();
    const parent = await bench.submit("app.parent", { names: ["c"] });
    const first = (await bench.settled(parent)).result;
    await bench.replay(parent);
    expect((await bench.settled(parent)).result).not.toEqual(first);
  });

  test("options of a child are those of any call", async ({ open }) => {
    const options = { delay: "1h", priority: 3, metadata: { of: "child" } } as const;
    const bench = await open({ types: [work], own: [parentType(options)] });
    await bench.worker();
    const { result } = await bench.settled(await bench.submit("app.parent", { names: ["c"] }));
    const [child = ""] = result as string[];
    expect(await bench.status(child)).toMatchObject({ state: "scheduled", priority: 3, metadata: { of: "child" } });
  });

  test("a child whose input is wrong fails the attempt that asked for it", async ({ open }) => {
    const wrong = defineJob({
      name: "app.parent",
      input: z.strictObject({}),
      run: (_, ctx) => ctx.enqueue("app.work", { nonsense: 1 }),
    });
    const bench = await open({ types: [work], own: [wrong] });
    await bench.worker();
    const id = await bench.submit("app.parent", {});
    expect(await bench.settled(id)).toMatchObject({ state: "failed", attempt: 1, error: { code: "INVALID_INPUT" } });
  });
});
