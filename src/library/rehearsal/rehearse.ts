import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { z } from "zod";
import { Coroutine } from "../../attempt/durable/coroutine.ts";
import { createDurableContext } from "../../attempt/durable/durable-context.ts";
import type { Edge, Turn } from "../../attempt/durable/turn.ts";
import { inputProblem } from "../../attempt/input.ts";
import { AppError } from "../../error.ts";
import type { JobType } from "../../job/definition.ts";
import type { DurableContext } from "../../job/durable/context.ts";
import { type CallSite, callSites, heldAround } from "./call-sites.ts";
import { type RehearsalAnswers, RehearsalRecord } from "./rehearsal-record.ts";
import { edgeOf, type Stage } from "./stage.ts";

/** What a rehearsal came to. @typeParam Result of the job's type. */
export interface Rehearsal<Result> {
  readonly result: Result;
  /** The calls of the last run in their order, such as `step "build"`. */
  readonly calls: readonly string[];
  /** How often the code ran from the top: once more than it waited. */
  readonly starts: number;
}

/** A job that goes on for ever is not waited for. */
const RUNS_MAX = 100;
const WAITS = ["sleep", "sleepUntil", "waitFor", "run", "approve"] as const;

/**
 * Runs the code of a durable job in a test as the worst machine would: at every wait it is put aside for good and runs again from
 * the top, and the answers come at once. Steps are run as they are.
 *
 * @throws AppError `INVALID_DEFINITION` when something is held across a wait (`await using`, `using`, a `finally`), here or in a
 * helper that awaits it; `UNSUPPORTED` when its source cannot be read; `NON_DETERMINISTIC` and `CONCURRENT_DURABLE_CALL` as in production; `INVALID_INPUT` for an answer that is
 * missing; what the job fails with.
 */
export async function rehearse<T extends JobType>(
  type: T,
  input: z.input<T["input"]>,
  answers: RehearsalAnswers = {},
): Promise<Rehearsal<z.output<T["result"]>>> {
  if (type.kind !== "durable") throw new AppError("INVALID_DEFINITION", `${type.name} is no durable job type`);
  const root = mkdtempSync(join(tmpdir(), "windlass-rehearsal-"));
  using record = new RehearsalRecord(answers);
  try {
    return await perform(type, input, { record, root, jobId: randomUUID() });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function perform<T extends JobType>(
  type: T,
  first: unknown,
  stage: Stage,
): Promise<Rehearsal<z.output<T["result"]>>> {
  let input = first;
  let run = 1;
  for (let starts = 1; ; starts++) {
    const turn = await take(type, input, edgeOf(type, stage, run, starts));
    if (turn.kind === "continued") {
      if (++run > RUNS_MAX)
        throw new AppError("LIMIT_REACHED", `${type.name} went on as ${RUNS_MAX} runs; end it by its input`);
      input = JSON.parse(turn.inputJson);
      stage.record.clear();
    } else if (turn.kind === "ended") {
      if (turn.end.kind === "thrown") throw turn.end.error;
      const parsed = type.result.safeParse(turn.end.value);
      if (!parsed.success) throw inputProblem(type.name, parsed.error);
      return { result: parsed.data as z.output<T["result"]>, calls: stage.record.calls, starts };
    }
  }
}

/** Runs the code from the top up to its next wait or its end; it never goes on in memory. */
async function take(type: JobType, input: unknown, edge: Edge): Promise<Turn> {
  const parsed = type.input.safeParse(input);
  if (!parsed.success) throw inputProblem(type.name, parsed.error);
  const coroutine = new Coroutine();
  const held = Promise.withResolvers<never>();
  const onWait = (call: string): void => {
    const problem = problemOf(type, call, callSites());
    if (problem !== undefined) held.reject(problem);
  };
  const code = type.run as unknown as (input: unknown, ctx: DurableContext) => unknown;
  try {
    const body = (): unknown =>
      code(parsed.data, watched(createDurableContext({ coroutine, redactor: undefined }), onWait));
    return await Promise.race([held.promise, coroutine.begin(edge, body)]);
  } finally {
    coroutine.evict();
  }
}

/** A context that says where each wait is made. */
function watched(context: DurableContext, onWait: (call: string) => void): DurableContext {
  const calls = context as unknown as Record<string, (...given: unknown[]) => unknown>;
  const waits = WAITS.map((name) => [
    name,
    (...given: unknown[]) => {
      onWait(name);
      return calls[name]?.(...given);
    },
  ]);
  return Object.create(context, Object.getOwnPropertyDescriptors(Object.fromEntries(waits))) as DurableContext;
}

function problemOf(type: JobType, call: string, sites: readonly CallSite[]): AppError | undefined {
  const around = heldAround(sites);
  if (around === undefined)
    return new AppError(
      "UNSUPPORTED",
      `${type.name}: the source of the code that calls ctx.${call} cannot be read, so nobody sees what it holds; rehearse it from a file`,
    );
  const [held] = around;
  if (held === undefined) return undefined;
  const place = `${basename(held.file)}:${held.line}`;
  const site = sites[0];
  const at = site === undefined ? "" : ` (${basename(site.file)}:${site.line})`;
  return new AppError(
    "INVALID_DEFINITION",
    `${type.name}: \`${held.what}\` at ${place} is held across ctx.${call}${at}; code that waits may be put aside for good, and then nothing gives it back: open and close it inside one step`,
    { details: { type: type.name, held: held.what, at: `${held.file}:${held.line}`, call } },
  );
}
