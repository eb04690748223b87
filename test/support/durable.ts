import { z } from "zod";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import type { DurableContext } from "../../src/job/durable/context.ts";
import { type DurableJobDefinition, defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import type { SubmitOptions } from "../../src/job/options.ts";
import { type Bench, type BenchOptions, type Open, TESTER } from "./test.ts";

/** The input of {@link durable}: anything. */
const AnyInput = z.record(z.string(), z.unknown());

/** A durable job type of the tests. */
export function durable(
  run: (ctx: DurableContext<Record<string, unknown>>, input: Record<string, unknown>) => unknown,
  more: Partial<
    Omit<DurableJobDefinition<string, typeof AnyInput, z.ZodType<unknown>>, "input" | "result" | "run">
  > = {},
): JobType {
  return defineDurableJob({
    name: "app.durable",
    ...more,
    input: AnyInput,
    result: z.unknown(),
    run: (input, ctx) => run(ctx, input),
  });
}

/** Submits the durable job of a bench and resolves with its end. */
export async function runDurable(bench: Bench, input: object = {}) {
  return bench.settled(await bench.submit("app.durable", input));
}

/** Emits an event as the tester. */
export function emitted(bench: Bench, event: string, payload: unknown = {}, eventId?: string) {
  return bench.backend.emit({ event, payload, ...(eventId === undefined ? {} : { eventId }) }, TESTER);
}

/** Resolves when the job waits. */
export function waits(bench: Bench, jobId: string, attempt = 1) {
  return bench.reaches(jobId, (status) => status.state === "waiting" && status.attempt >= attempt);
}

/** How {@link goesOnElsewhere} submits its job. */
export interface GoingOn {
  readonly input?: object;
  readonly submit?: SubmitOptions;
  /** The attempt in which it waits for `go`. */
  readonly attempt?: number;
}

/**
 * Runs the durable job of a fresh bench until it waits for the event `go`, ends its worker, starts another one and emits the
 * event: its code goes on from the record, in other memory.
 */
export async function goesOnElsewhere(
  open: Open,
  options: BenchOptions,
  { input = {}, submit = {}, attempt = 1 }: GoingOn = {},
): Promise<{ readonly bench: Bench; readonly id: string }> {
  const bench = await open(options);
  const first = await bench.worker();
  const id = await bench.submit("app.durable", input, submit);
  await waits(bench, id, attempt);
  await first.stop({ graceMs: 0 });
  await bench.worker();
  await emitted(bench, "go");
  return { bench, id };
}

/** A fresh bench with a worker. */
export async function served(open: Open, options: BenchOptions): Promise<Bench> {
  const bench = await open(options);
  await bench.worker();
  return bench;
}

/** The recorded calls of a run, as `position kind name`. */
export async function recorded(bench: Bench, jobId: string, runNumber = 1): Promise<readonly string[]> {
  const rows = await bench.backend.history(jobId);
  return rows
    .filter((row) => row.runNumber === runNumber && row.event.startsWith("call."))
    .map(({ data }) => data)
    .sort((a, b) => Number(a["position"]) - Number(b["position"]))
    .map(({ position, call, name }) => [position, call, name].filter((part) => part !== undefined).join(" "));
}

/** A promise that the test settles, and one that tells when somebody waits for it. */
export function gate<T = void>() {
  const opened = Promise.withResolvers<T>();
  const reached = Promise.withResolvers<void>();
  return {
    open: opened.resolve,
    reached: reached.promise,
    pass: (): Promise<T> => {
      reached.resolve();
      return opened.promise;
    },
  };
}

/** A child whose result is no plain JSON. */
export const typed = defineJob({
  name: "app.typed",
  input: z.strictObject({ n: z.int() }),
  result: z.strictObject({ at: z.coerce.date() }),
  run: ({ n }) => ({ at: new Date(n) }),
});
