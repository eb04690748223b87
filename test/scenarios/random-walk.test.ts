import { expect } from "vitest";
import { z } from "zod";
import type { BackendWorker } from "../../src/backend/serving.ts";
import { isAppError } from "../../src/error.ts";
import type { JobContext } from "../../src/job/context.ts";
import { defineJob, type JobDefinition, type JobType } from "../../src/job/definition.ts";
import type { SubmitOptions } from "../../src/job/options.ts";
import { TestClock } from "../support/clock.ts";
import { brokenInvariants } from "../support/invariants.ts";
import { seeded } from "../support/random.ts";
import { type Bench, EMBEDDED, TESTER, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);
const SEED = Number(process.env["SEED"] ?? 7);
const WALKS = Number(process.env["WALKS"] ?? 3);
const STEPS = 250;

const Input = z.strictObject({
  key: z.string().optional(),
  other: z.string().optional(),
  children: z.int().optional(),
});

/** A handler that waits for the walk to say how it ends. */
interface Attempt {
  readonly ctx: JobContext;
  readonly end: (how: "return" | "throw") => void;
  readonly deaf: boolean;
}

/** Every rule that moves a job, alone and together. */
const RULES: Readonly<Record<string, Partial<JobDefinition<string, typeof Input, z.ZodType>>>> = {
  "app.plain": {},
  "app.keyed": { concurrency: [{ key: "key", limit: 1 }] },
  "app.pair": {
    concurrency: [
      { key: "key", limit: 2 },
      { key: "other", limit: 1 },
    ],
    locks: ["shared:<key>"],
  },
  "app.lock": { locks: ["shared:<key>"] },
  "app.newest": { concurrency: [{ key: "key", limit: 1, strategy: "cancel-newest" }] },
  "app.limited": { rateLimit: { units: 2, per: "10s" }, concurrency: [{ key: "key", limit: 2 }] },
  "app.stop": { afterCrash: "stop", concurrency: [{ key: "key", limit: 1 }] },
  "app.check": { afterCrash: "check", locks: ["shared:<key>"], check: async () => undefined },
  "app.full": { queuedMax: 3 },
};

class Walk {
  readonly clock = new TestClock();
  readonly attempts: Attempt[] = [];
  readonly jobs: string[] = [];
  readonly #random: () => number;
  #bench: Bench | undefined;
  /** One at a time: its heartbeat thread lives by the machine's clock, and a second one would take it for dead. */
  #worker: BackendWorker | undefined;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  get bench(): Bench {
    if (this.#bench === undefined) throw new Error("not opened");
    return this.#bench;
  }

  set bench(bench: Bench) {
    this.#bench = bench;
  }

  types(): readonly JobType[] {
    return Object.entries(RULES).map(([name, rules]) =>
      defineJob({
        ...rules,
        name,
        input: Input,
        retries: 2,
        timeout: { default: "30s" },
        backoff: { first: "5s", jitter: 0.5 },
        run: (input, ctx) => this.#run(input, ctx),
      }),
    );
  }

  async step(): Promise<void> {
    const draw = this.#random();
    if (draw < 0.4) await this.#submit();
    else if (draw < 0.7) await this.#endOne();
    else if (draw < 0.77) await this.bench.cancel(this.#any(this.jobs) ?? "");
    else if (draw < 0.84) await this.bench.replay(this.#any(this.jobs) ?? "");
    else if (draw < 0.95) await this.clock.advance(this.#random() * 12_000);
    else if (draw < 0.97) await this.startWorker();
    else await this.#stopWorker();
    await this.clock.advance(0);
  }

  async startWorker(): Promise<void> {
    this.#worker ??= await this.bench.worker({ concurrency: 4 });
  }

  /** Ends everything that waits, however it waits. */
  async finish(): Promise<void> {
    await this.startWorker();
    for (let rounds = 0; rounds < 200; rounds++) {
      for (const attempt of this.attempts.splice(0)) attempt.end("return");
      await this.clock.advance(5_000);
      const { counts } = await this.bench.backend.stats();
      if (counts.every(({ state }) => ["completed", "failed", "cancelled", "expired"].includes(state))) return;
    }
    expect.fail(`not finished: ${JSON.stringify((await this.bench.backend.stats()).counts)}`);
  }

  async #submit(): Promise<void> {
    const key = `k${Math.floor(this.#random() * 3)}`;
    const other = `o${Math.floor(this.#random() * 2)}`;
    const input = { key, ...(this.#chance(0.7) ? { other } : {}), ...(this.#chance(0.15) ? { children: 2 } : {}) };
    const options: SubmitOptions = {
      ...(this.#chance(0.2) ? { delay: 1 + Math.floor(this.#random() * 20_000) } : {}),
      ...(this.#chance(0.15) ? { deadline: 1 + Math.floor(this.#random() * 40_000) } : {}),
      ...(this.#chance(0.15) ? { expiresIn: 1 + Math.floor(this.#random() * 20_000) } : {}),
      ...(this.#chance(0.3) ? { priority: this.#chance(0.5) ? 1 : 3 } : {}),
      ...(this.#chance(0.1) ? { idempotencyKey: key } : {}),
      ...(this.#chance(0.2) ? { metadata: { key } } : {}),
    };
    const request = { type: this.#any(Object.keys(RULES)) ?? "", input, options, actor: TESTER };
    try {
      const accepted = await this.bench.windlass.submit.submit(this.#chance(0.2) ? [request, request] : [request]);
      this.jobs.push(...accepted.map(({ jobId }) => jobId));
    } catch (error) {
      if (!isAppError(error) || !["QUEUE_FULL", "IDEMPOTENCY_CONFLICT"].includes(error.code)) throw error;
    }
  }

  async #endOne(): Promise<void> {
    const index = Math.floor(this.#random() * this.attempts.length);
    const [attempt] = this.attempts.splice(index, 1);
    attempt?.end(this.#chance(0.75) ? "return" : "throw");
  }

  async #stopWorker(): Promise<void> {
    const stopped = this.#worker?.stop({ graceMs: this.#random() * 3_000 });
    this.#worker = undefined;
    await this.clock.advance(6_000);
    await stopped;
  }

  async #run({ key, children = 0 }: z.output<typeof Input>, ctx: JobContext): Promise<string> {
    for (let child = 0; child < children; child++) {
      const { jobId } = await ctx.enqueue(this.#any(["app.plain", "app.keyed"]) ?? "", { key });
      if (!this.jobs.includes(jobId)) this.jobs.push(jobId);
    }
    ctx.progress({ done: ctx.attempt });
    const deaf = this.#chance(0.2);
    return new Promise((resolve, reject) => {
      this.attempts.push({
        ctx,
        deaf,
        end: (how) => (how === "return" ? resolve("done") : reject(new Error("told to fail"))),
      });
      if (!deaf) ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason), { once: true });
    });
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #any<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }
}

test.for(Array.from({ length: WALKS }, (_, n) => SEED + n))(
  "whatever comes in whatever order, every job stands in one place, keys are held by who runs, and all of it ends: seed %i",
  async (seed, { open }) => {
    const walk = new Walk(seed);
    walk.bench = await open({ own: walk.types(), clock: walk.clock, config: { "job.spawn_rate": 1_000 } });
    await walk.startWorker();
    for (let step = 0; step < STEPS; step++) {
      await walk.step();
      if (step % 10 === 0) expect(brokenInvariants(walk.bench.databasePath), `after step ${step}`).toEqual([]);
    }
    await walk.finish();
    expect(brokenInvariants(walk.bench.databasePath)).toEqual([]);
    // Nobody holds a key when nobody runs.
    expect((await walk.bench.backend.list({ limit: 1_000 })).jobs.every(({ state }) => state !== "queued")).toBe(true);
  },
);
