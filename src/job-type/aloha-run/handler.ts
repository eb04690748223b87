import { type Adoption, AlreadyDone, type Effect, type EffectContext, type Handlers } from "../../attempt/handlers.ts";
import { pause } from "../../clock.ts";
import { isAppError } from "../../error.ts";
import { findStart } from "../../host/aloha/find-start.ts";
import type { AlohaRunInput, AlohaRunResult } from "./aloha-run.ts";
import { begin, watchFrom } from "./begin.ts";
import { readAlohaEffect } from "./effect.ts";
import { follow } from "./follow.ts";
import type { AlohaRunOptions, Preparation } from "./options.ts";
import { isDone, prepare } from "./prepare.ts";

/** For an Aloha that does not say that it is busy until it is given a task. */
const BUSY_PAUSE_MS = 2_000;

const SKIPPED: AlohaRunResult = { state: "skipped", evidence: null, duration_ms: 0 };

/** The code of `aloha.run`. */
export function alohaRunHandlers(options: AlohaRunOptions): Handlers {
  const preparation = (input: AlohaRunInput, ctx: EffectContext): Preparation => ({
    input,
    ctx,
    host: options.openHost(input.host, ctx),
    clock: options.clock,
  });
  return {
    run: async (input: AlohaRunInput, ctx) => run(preparation(input, ctx), options),
    check: async (input: AlohaRunInput, ctx) => ((await isDone(preparation(input, ctx))) ? SKIPPED : undefined),
    keeps: () => ["aloha/response.json"],
    adopt: async (input: AlohaRunInput, effect, ctx) => adopt(preparation(input, ctx), effect, options),
  };
}

async function run(preparation: Preparation, options: AlohaRunOptions): Promise<AlohaRunResult | AlreadyDone> {
  for (;;) {
    const prepared = await prepare(preparation);
    if (prepared.kind === "done") return new AlreadyDone(SKIPPED);
    const begun = await begin(preparation, { machine: options.machine, tellsBusy: prepared.tellsBusy });
    if (begun.kind === "begun") return follow({ ...preparation, run: begun.run, killGraceMs: options.killGraceMs });
    // Somebody was faster: the job waits for the desktop, and nobody is shown the refusal.
    await pause(options.clock, BUSY_PAUSE_MS, preparation.ctx.signal);
  }
}

/** The run is on the desktop, not in the worker that died: it is found again by its lines in the client's log. */
async function adopt(preparation: Preparation, effect: Effect, options: AlohaRunOptions): Promise<Adoption> {
  const { ctx, clock } = preparation;
  const known = readAlohaEffect(effect);
  if (known === undefined) return { kind: "unknown", reason: "what was recorded of the run cannot be read" };
  const watch = watchFrom(preparation, known.mark);
  const found = await findStart(watch, { clock, signal: ctx.signal });
  if (found === "absent") return { kind: "not-begun" };
  if (found === "unknown" && !ctx.signal.aborted) {
    return { kind: "unknown", reason: "nothing says whether the run had begun" };
  }
  try {
    const result = await follow({ ...preparation, run: { ...known, watch }, killGraceMs: options.killGraceMs });
    return { kind: "result", result };
  } catch (error) {
    // The crash rule of the job decides over what nobody knows.
    if (isAppError(error) && error.code === "OUTCOME_UNKNOWN") return { kind: "unknown", reason: error.message };
    throw error;
  }
}
