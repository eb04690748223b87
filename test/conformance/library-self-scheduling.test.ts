import { expect } from "vitest";
import { z } from "zod";
import { defineDurableJob, defineJob, type JobStatus, type WindlassClient } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

/** What JSON can hold and a careless way from job to job would lose. */
const PAYLOAD = {
  deep: Array.from({ length: 60 }).reduce<unknown>((inner) => ({ inner: [inner] }), null),
  unicode: "ÅåÄä\u0301 \u202Eright to left\u202C \u{1F469}\u200D\u{1F680} \u0000\u2028\uFFFD \uD83D",
  ' odd "name" ': { __proto__2: 1, constructor: "x", $ref: "#", "": 0 },
  numbers: [0, -0.1, 1e21, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE],
  big: "170141183460469231731687303715884105727",
  text: "ü".repeat(50_000),
};
const Chain = z.strictObject({ left: z.int(), payload: z.unknown() });

/** The shortest delay that a backend keeps. */
const soon = ({ capabilities }: WindlassClient): string => (capabilities.subSecond ? "5ms" : "1s");

/** All jobs of a type, oldest first, when there are so many and all have ended. */
async function chainOf(client: WindlassClient, type: string, count: number): Promise<readonly JobStatus[]> {
  const ended: JobStatus[] = [];
  const look = async (): Promise<number> => (await client.list({ type, limit: 1_000 })).jobs.length;
  await expect.poll(look, { timeout: 20_000 }).toBe(count);
  for (const { jobId } of (await client.list({ type, limit: 1_000 })).jobs) ended.push(await client.wait(jobId));
  expect(await look()).toBe(count);
  return ended.toReversed();
}

/** A client of a person, as on a terminal, so that a job's actor shows which job made it. */
async function personal(open: () => Promise<WindlassClient>): Promise<WindlassClient> {
  const { isTTY } = process.stdout;
  process.stdout.isTTY = true;
  try {
    return await open();
  } finally {
    process.stdout.isTTY = isTTY;
  }
}

/** Each made by the one before it, with what it was given, under the trace of the first. */
function expectChain(jobs: readonly JobStatus[], input: (place: number) => unknown): void {
  expect(new Set(jobs.map(({ jobId }) => jobId)).size).toBe(jobs.length);
  for (const [place, job] of jobs.entries()) {
    expect(job, `job ${place}`).toMatchObject({ state: "completed", traceId: "chain-1" });
    expect(job.input, `job ${place}`).toEqual(input(place));
    const before = jobs[place - 1];
    expect(job.parentId, `job ${place}`).toBe(before?.jobId ?? null);
    // The strictest of all ancestors, the first where two are equally strict.
    if (place > 0) expect(job.actor).toEqual({ kind: "job", name: jobs[0]?.jobId, via: "library" });
  }
}

libraryConformance("library: self-scheduling", (test) => {
  test("a plain job schedules itself with a delay: payload, ids, actor and trace are right in each", async ({
    open,
  }) => {
    const delay = { plain: "5ms" };
    const plain = defineJob({
      name: "app.plain",
      input: Chain,
      run: async ({ left, payload }, ctx) => {
        if (left > 0) await ctx.enqueue("app.plain", { left: left - 1, payload }, { delay: delay.plain });
      },
    });
    const client = await personal(() => open({ jobs: [plain] }));
    delay.plain = soon(client);
    await client.startWorker();
    await client.submit(plain, { left: 3, payload: PAYLOAD }, { traceId: "chain-1" });
    const jobs = await chainOf(client, "app.plain", 4);
    expectChain(jobs, (place) => ({ left: 3 - place, payload: PAYLOAD }));
    for (const { queuedAt, dueAt, startedAt } of jobs.slice(1)) {
      expect(dueAt.getTime()).toBeGreaterThan(queuedAt.getTime());
      expect(startedAt?.getTime()).toBeGreaterThanOrEqual(dueAt.getTime());
    }
  });

  test("so does a durable one by enqueue and by run, and continueAs goes on as the same job", async ({ open }) => {
    const durable = defineDurableJob({
      name: "app.durable",
      input: z.strictObject({ left: z.int(), by: z.enum(["enqueue", "run", "continueAs"]), payload: z.unknown() }),
      result: z.unknown(),
      run: async ({ left, by, payload }, ctx) => {
        const next = { left: left - 1, by, payload };
        if (left === 0) return payload;
        if (by === "continueAs") return ctx.continueAs(next);
        return by === "run" ? ctx.run("app.durable", next) : ctx.enqueue("app.durable", next);
      },
    });
    for (const by of ["enqueue", "run"] as const) {
      const client = await personal(() => open({ jobs: [durable] }));
      await client.startWorker();
      const before = (await client.list()).jobs.length;
      await client.submit(durable, { left: 3, by, payload: PAYLOAD }, { traceId: "chain-1" });
      const jobs = (await chainOf(client, "app.durable", before + 4)).slice(before);
      expectChain(jobs, (place) => ({ left: 3 - place, by, payload: PAYLOAD }));
      if (by === "run") for (const { result } of jobs) expect(result).toEqual(PAYLOAD);
      await client.close();
    }
    const client = await open({ jobs: [durable] });
    await client.startWorker();
    const { jobId } = await client.submit(durable, { left: 3, by: "continueAs", payload: PAYLOAD });
    expect(await client.wait(jobId)).toMatchObject({ state: "completed", runNumber: 4, result: PAYLOAD });
  });

  test("an attempt that is tried again does not schedule twice", async ({ open }) => {
    const flaky = defineJob({
      name: "app.flaky",
      input: z.strictObject({ left: z.int() }),
      backoff: { first: "10ms", jitter: 0 },
      run: async ({ left }, ctx) => {
        if (left > 0) await ctx.enqueue("app.flaky", { left: left - 1 });
        if (ctx.attempt < 3) throw new Error("after it scheduled");
      },
    });
    const client = await open({ jobs: [flaky] });
    await client.startWorker();
    await client.submit(flaky, { left: 2 });
    const jobs = await chainOf(client, "app.flaky", 3);
    expect(jobs.map(({ attempt, input }) => [attempt, input])).toEqual([
      [3, { left: 2 }],
      [3, { left: 1 }],
      [3, { left: 0 }],
    ]);
  });

  for (const kind of ["plain", "durable"] as const)
    test(`a ${kind} job that starts itself again without end is stopped, and the last one says why`, async ({
      open,
    }) => {
      const input = z.strictObject({});
      const name = "app.loop";
      const again = async (_: unknown, ctx: { enqueue(type: string, input: unknown): Promise<unknown> }) => {
        await ctx.enqueue(name, {});
      };
      const loop =
        kind === "plain" ? defineJob({ name, input, run: again }) : defineDurableJob({ name, input, run: again });
      const client = await open({ jobs: [loop], config: { "job.spawn_rate": 8 } });
      await client.startWorker();
      const { jobId } = await client.submit(loop, {});
      // The first one, the one that it made itself, and eight that count.
      const jobs = await chainOf(client, name, 10);
      expect(jobs.filter(({ state }) => state === "completed").length).toBe(9);
      expect(jobs.find(({ state }) => state === "failed")?.error).toMatchObject({
        code: "LIMIT_REACHED",
        message: expect.stringContaining("job.spawn_rate"),
        details: { first_ancestor: jobId, limit: 8 },
      });
    });

  test("a cancel of the first job of a family reaches the jobs that are still to come", async ({ open }) => {
    const family = defineJob({
      name: "app.family",
      input: z.strictObject({ holds: z.boolean() }),
      run: async ({ holds }, ctx) => {
        if (!holds) return;
        await ctx.enqueue("app.family", { holds: false }, { delay: "1h" });
        await new Promise((_, reject) =>
          ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason), { once: true }),
        );
      },
    });
    const client = await open({ jobs: [family] });
    await client.startWorker();
    const { jobId } = await client.submit(family, { holds: true });
    await expect.poll(async () => (await client.scheduled()).length, { timeout: 15_000 }).toBe(1);
    expect(await client.cancel(jobId)).toMatchObject({ outcome: "requested" });
    expect((await client.wait(jobId)).state).toBe("cancelled");
    await expect.poll(async () => (await client.scheduled()).length, { timeout: 15_000 }).toBe(0);
  });
});
