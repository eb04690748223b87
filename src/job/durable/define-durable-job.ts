import { z } from "zod";
import { checkTypeName, type JobDefinition, type JobType, readRules } from "../definition.ts";
import { checkFields } from "../definition-fields.ts";
import type { DurableContext } from "./context.ts";

/**
 * What {@link defineDurableJob} takes: what `defineJob` takes, without what the record makes needless. A durable job goes on
 * after a crash instead of starting over, and its steps have retries of their own; an error that leaves its code is final.
 */
export interface DurableJobDefinition<Name extends string, Input extends z.ZodType, Result extends z.ZodType>
  extends Omit<
    JobDefinition<Name, Input, Result>,
    | "run"
    | "check"
    | "retries"
    | "backoff"
    | "retryable"
    | "afterCrash"
    | "afterCrashByCaller"
    | "retryOnExit"
    | "recordsEffects"
  > {
  /** The code. It runs from the top whenever the job goes on; see {@link DurableContext}. */
  readonly run: (
    input: z.output<Input>,
    ctx: DurableContext<z.input<NoInfer<Input>>>,
  ) => Promise<z.input<NoInfer<Result>>> | z.input<NoInfer<Result>>;
}

/** What the record makes needless; in plain JavaScript nothing else says so. */
const NOT_DURABLE = [
  "check",
  "retries",
  "backoff",
  "retryable",
  "afterCrash",
  "afterCrashByCaller",
  "retryOnExit",
  "recordsEffects",
];

/**
 * Declares a durable job type: its code may sleep for days, wait for events and run other jobs, and goes on where it was after
 * any crash.
 *
 * ```ts
 * const deploy = defineDurableJob({
 *   name: "app.deploy",
 *   input: z.strictObject({ tag: z.string() }),
 *   async run({ tag }, ctx) {
 *     const build = await ctx.step("build", () => buildImage(tag));
 *     await ctx.sleep("10m");
 *     return ctx.step("switch", ({ stepKey }) => switchTo(build, stepKey));
 *   },
 * });
 * ```
 *
 * `timeout` is the running time between two waits; waiting does not count. `deadline` is for the whole job.
 *
 * @throws AppError `INVALID_DEFINITION` or `INVALID_DURATION` naming the type and the field that is wrong.
 */
export function defineDurableJob<
  const Name extends string,
  Input extends z.ZodType,
  Result extends z.ZodType = z.ZodType<unknown, unknown>,
>(definition: DurableJobDefinition<Name, Input, Result>): JobType<Name, Input, Result> {
  checkTypeName(definition.name);
  checkFields(definition, NOT_DURABLE);
  const { run, ...rest } = definition;
  return Object.freeze({
    kind: "durable" as const,
    name: definition.name,
    version: definition.version ?? "1",
    input: definition.input,
    result: definition.result ?? (z.unknown() as unknown as Result),
    rules: {
      ...readRules({ ...rest, retries: 0 } as JobDefinition<string, z.ZodType, z.ZodType>),
      durable: true as const,
    },
    run: run as JobType["run"],
  });
}
