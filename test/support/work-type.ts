import { z } from "zod";
import { AppError, type ErrorCode } from "../../src/error.ts";
import type { JobContext } from "../../src/job/context.ts";
import { defineJob, type JobDefinition, type JobType } from "../../src/job/definition.ts";
import { secretText } from "../../src/job/secret.ts";
import { type EffectLine, Effects } from "./effects.ts";

/** What a handler of the tests does. */
export const WorkInput = z.strictObject({
  /** Names it in the side log. */
  name: z.string().regex(/^[\w.-]+$/),
  /** Waits until the name is released. */
  hold: z.boolean().optional(),
  /** Waits so only in the first attempts. */
  holds: z.int().optional(),
  /** Throws in the first attempts of each run. */
  fails: z.int().optional(),
  /** Throws with one of our codes instead of a plain error. */
  code: z.string().optional(),
  /** Never gives the event loop back. */
  spins: z.boolean().optional(),
  /** Blocks the event loop so long. */
  spinsMs: z.int().optional(),
  /** Blocks it until the name is released. */
  spinsHeld: z.boolean().optional(),
  /** Does not listen to its signal while it is held. */
  deaf: z.boolean().optional(),
  /** Ends its own process in the first attempts. */
  dies: z.int().optional(),
  /** Its check throws the first times. */
  checkFails: z.int().optional(),
  /** Enqueues children of these names before it is held, of its own type unless `childType` says another. */
  children: z.array(z.string()).optional(),
  childType: z.string().optional(),
  /** Enqueues a child of its own kind, so many levels deep. */
  depth: z.int().optional(),
  progress: z.array(z.int()).optional(),
  /** Keeps a file. */
  keeps: z.record(z.string(), z.string()).optional(),
  /** Keeps it in the first attempt only. */
  keepsOnce: z.record(z.string(), z.string()).optional(),
  /** What it returns beside its name. */
  returns: z.unknown().optional(),
  secret: secretText().optional(),
  key: z.union([z.string(), z.number(), z.boolean()]).nullish(),
  other: z.string().optional(),
  site: z.strictObject({ host: z.string() }).optional(),
  rule: z.string().optional(),
  /** Only makes the input large. */
  ballast: z.string().optional(),
});

/** The input of {@link workType} as a handler receives it. */
export type Work = z.output<typeof WorkInput>;

/** A job type of the tests as plain data, so that another process can be given it. */
export type WorkSpec = Omit<
  JobDefinition<string, z.ZodType, z.ZodType>,
  "input" | "result" | "run" | "check" | "retryable"
> & {
  /** `check` looks into the side log for an end of the same name. */
  readonly checks?: boolean;
  /** Only an error that says so is tried again. */
  readonly retryableOnly?: string;
};

/** Makes a job type whose handler does what its input says and writes what it did to the side log of a folder. */
export function workType(
  folder: string,
  { checks, retryableOnly, ...definition }: WorkSpec,
): JobType<string, typeof WorkInput> {
  const effects = new Effects(folder);
  return defineJob({
    ...definition,
    input: WorkInput,
    run: (work, ctx) => run(work, { ctx, effects, type: definition.name }),
    ...(checks
      ? {
          check: async (work, ctx) => {
            log({ ctx, effects, type: definition.name }, work, "check");
            if (effects.count(work.name, "check") <= (work.checkFails ?? 0)) throw new Error("cannot say yet");
            return effects.count(work.name, "end") > 0 ? { name: work.name, checked: true } : undefined;
          },
        }
      : {}),
    ...(retryableOnly === undefined
      ? {}
      : { retryable: (error) => error instanceof Error && error.message.includes(retryableOnly) }),
  });
}

interface Parts {
  readonly ctx: JobContext;
  readonly effects: Effects;
  readonly type: string;
}

async function run(work: Work, parts: Parts): Promise<unknown> {
  const { ctx, type } = parts;
  log(parts, work, "start");
  if (work.dies !== undefined && ctx.attempt <= work.dies) process.kill(process.pid, "SIGKILL");
  if (work.spins) for (;;);
  if (work.spinsMs !== undefined) spin(work.spinsMs);
  if (work.spinsHeld) while (!parts.effects.isReleased(work.name));
  for (const done of work.progress ?? []) ctx.progress({ done, total: 100, message: `at ${done}` });
  const keeps = { ...work.keeps, ...(ctx.attempt === 1 ? work.keepsOnce : {}) };
  for (const [path, content] of Object.entries(keeps)) await ctx.keep(path, content);
  for (const name of work.children ?? []) await ctx.enqueue(work.childType ?? type, { name, hold: work.hold });
  if (work.depth !== undefined && work.depth > 0)
    await ctx.enqueue(type, { ...work, name: `${work.name}.${work.depth}`, depth: work.depth - 1 });
  if (work.hold || ctx.attempt <= (work.holds ?? 0)) await hold(work, parts);
  if (work.fails !== undefined && ctx.attempt <= work.fails) {
    log(parts, work, "failed");
    throw work.code === undefined
      ? new Error(`${work.name} was told to fail`)
      : new AppError(work.code as ErrorCode, `${work.name} was told to fail`);
  }
  log(parts, work, "end");
  return { name: work.name, attempt: ctx.attempt, ...(work.returns === undefined ? {} : { value: work.returns }) };
}

function spin(ms: number): void {
  const end = Date.now() + ms;
  while (Date.now() < end);
}

/** Waits for its release; in the log stands when and why its signal fired. */
async function hold(work: Work, parts: Parts): Promise<void> {
  const { signal } = parts.ctx;
  const onAbort = (): void => log(parts, work, "stopped", { reason: String(signal.reason) });
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    await parts.effects.released(work.name, work.deaf ? undefined : signal);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function log(
  { ctx, effects, type }: Parts,
  { name, key }: Work,
  event: EffectLine["event"],
  more: Partial<EffectLine> = {},
): void {
  const { jobId, runNumber: run, attempt } = ctx;
  const line = { name, event, type, jobId, run, attempt, pid: process.pid, atMs: Date.now() };
  effects.append({ ...line, ...(key == null ? {} : { key: String(key) }), ...more });
}
