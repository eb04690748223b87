import { expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

const JOBS = `
import { existsSync, writeFileSync } from "node:fs";
import { z } from "${import.meta.resolve("zod")}";
import { defineDurableJob, defineJob } from "${new URL("../../src/index.ts", import.meta.url).href}";

/** Ends its own process the first time that it comes here. */
const dieOnce = (file) => {
  if (existsSync(file)) return;
  writeFileSync(file, "");
  process.kill(process.pid, "SIGKILL");
};
const input = z.strictObject({ left: z.int(), text: z.string().default("ü \\u{1F600}") });

export const plain = defineJob({
  name: "app.plain",
  input,
  run: async ({ left, text }, ctx) => {
    if (left > 0) await ctx.enqueue("app.plain", { left: left - 1, text }, { delay: "5ms" });
    if (left === 2) dieOnce("plain.died");
    return text;
  },
});
export const durable = defineDurableJob({
  name: "app.durable",
  input,
  run: async ({ left, text }, ctx) => {
    await ctx.sleep("5ms");
    if (left > 0) await ctx.enqueue("app.durable", { left: left - 1, text });
    if (left === 2) await ctx.step("die", () => dieOnce("durable.died"));
    return text;
  },
});
export const rounds = defineDurableJob({
  name: "app.rounds",
  input: z.strictObject({}),
  run: async (_, ctx) => {
    await ctx.enqueue("app.plain", { left: 0 });
    return ctx.continueAs({});
  },
});
export const nested = defineDurableJob({
  name: "app.nested",
  input: z.strictObject({}),
  run: (_, ctx) => ctx.run("app.nested", {}),
});
`;

/** A folder with these types and what it takes to look at their jobs. */
async function project(env: Readonly<Record<string, string>> = {}) {
  const folder = new CliFolder();
  folder.write("jobs.ts", JOBS);
  const list = async (...filter: readonly string[]) =>
    (await folder.json<{ jobs: readonly { job_id: string; state: string }[] }>(["jobs", "list", ...filter])).value.jobs;
  return {
    folder,
    worker: () => folder.worker(["--jobs", "jobs.ts"], { env }),
    enqueue: async (type: string, input: object) => {
      const args = ["jobs", "enqueue", "--jobs", "jobs.ts", "--type", type, "--input-json", JSON.stringify(input)];
      const { stdout, stderr } = await folder.call(args, { env });
      return pairsOf(stdout)["job_id"] ?? stderr;
    },
    list,
    /** Resolves when so many jobs have ended and no other is left. */
    ends: async (count: number) => {
      const isEnded = ({ state }: { state: string }): boolean => /^(completed|failed)$/.test(state);
      const ended = async () => (await list("--limit", "1000")).filter(isEnded).length;
      await expect.poll(ended, { timeout: 25_000, interval: 200 }).toBe(count);
      expect((await list("--limit", "1000")).length).toBe(count);
    },
    status: async (id: string) => (await folder.json<Record<string, unknown>>(["jobs", "status", id])).value,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test.each(["plain", "durable"])(
  "a %s job that schedules itself ends as it should, though its worker is killed in the middle: no link is lost or made twice",
  async (kind) => {
    await using bench = await project();
    const first = await bench.worker();
    const id = await bench.enqueue(`app.${kind}`, { left: 4 });
    expect(await first.ended).toMatchObject({ signal: "SIGKILL" });
    await bench.worker();
    await bench.ends(5);
    expect((await bench.list("--state", "completed")).length).toBe(5);
    const [last] = await bench.list("--limit", "1");
    expect(await bench.status(last?.job_id ?? "")).toMatchObject({
      result: "ü \u{1F600}",
      attempt: kind === "plain" ? 1 : 2,
    });
    expect((await bench.status(last?.job_id ?? ""))["trace_id"]).toBe((await bench.status(id))["trace_id"]);
  },
  60_000,
);

test("loops are stopped, and the program says why: by rate, by depth, and a run that goes on as the next", async () => {
  await using bench = await project({ WINDLASS_JOB_SPAWN_RATE: "6/min", WINDLASS_JOB_DEPTH_MAX: "4" });
  await bench.worker();
  const failed = async (): Promise<readonly string[]> =>
    (await bench.list("--state", "failed")).map(({ job_id }) => job_id);

  const byRate = await bench.enqueue("app.durable", { left: 1_000_000 });
  await bench.ends(1 + 1 + 6);
  const [stopped = ""] = await failed();
  expect((await bench.status(stopped))["error"]).toMatch(
    new RegExp(
      `^LIMIT_REACHED: app.durable: job ${stopped} .* of job ${byRate} made 6 jobs within a minute.*job.spawn_rate`,
    ),
  );

  const byDepth = await bench.enqueue("app.nested", {});
  await bench.ends(8 + 5);
  expect((await bench.status(byDepth))["error"]).toMatch(/^LIMIT_REACHED: app.nested: .*job.depth_max is 4; look for/);

  const rounds = await bench.enqueue("app.rounds", {});
  await bench.ends(13 + 1 + 1 + 6);
  expect(await bench.status(rounds)).toMatchObject({
    run: 8,
    error: expect.stringMatching(new RegExp(`^LIMIT_REACHED: app.plain: job ${rounds} may not make it`)),
  });
}, 60_000);
