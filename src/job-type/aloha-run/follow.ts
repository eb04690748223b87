import { AppError } from "../../error.ts";
import { decideEnd, type RunEnd } from "../../host/aloha/model/decide-end.ts";
import type { WatchEnd } from "../../host/aloha/run-watch.ts";
import { stopRun } from "../../host/aloha/stop-run.ts";
import type { StopReason } from "../../job/context.ts";
import type { AlohaRunResult } from "./aloha-run.ts";
import { errorOfEnd } from "./conclude.ts";
import type { BegunRun, Preparation } from "./options.ts";
import { keepRecord } from "./record.ts";
import { stoppedError } from "./stopped.ts";

/** Kept of the grace for writing down what became of the run. */
const RECORD_MS = 500;

/** A run to stay with. */
export interface Following extends Preparation {
  readonly run: BegunRun;
  readonly killGraceMs: number;
}

/**
 * Stays with a run to its end, or to the end of the attempt: a cancel and a timeout stop the run too, any other reason
 * leaves it to the next worker.
 *
 * @throws AppError as the run ended; `CANCELLED`, `TIMEOUT` or `LEASE_LOST` when the attempt was stopped.
 */
export async function follow(following: Following): Promise<AlohaRunResult> {
  const { ctx, run, input } = following;
  let told = 0;
  const onLook = (): void => {
    const steps = run.watch.evidence?.steps ?? 0;
    if (steps !== told)
      ctx.progress({ done: Math.max(0, steps - 1), total: input.max_steps, message: `step ${steps}` });
    told = steps;
  };
  const end = await run.watch.untilOver(ctx.signal, onLook);
  return end.kind === "interrupted" ? stop(following) : conclude(following, end);
}

async function stop(following: Following): Promise<AlohaRunResult> {
  const { ctx, run, host, clock, killGraceMs, input } = following;
  const reason = ctx.signal.reason as StopReason;
  if (reason === "stopping" || reason === "lease_lost") throw stoppedError(reason);
  const remote = await stopRun(run.watch, { client: host.client, clock, graceMs: killGraceMs - RECORD_MS });
  const { evidence } = run.watch;
  const end = evidence?.finished ? decideEnd(evidence, input.max_steps) : undefined;
  // It was done before it could hear the stop.
  if (end?.kind === "completed") return conclude(following, { kind: "over", by: "log" });
  if (remote === "unknown") ctx.log.warn("Aloha was told to stop and may still be running", { grace_ms: killGraceMs });
  keepRecord(following, following.run, { state: reason, remote_state: remote });
  throw stoppedError(reason, { remote_state: remote });
}

function conclude(following: Following, watched: Exclude<WatchEnd, { kind: "interrupted" }>): AlohaRunResult {
  const { run, input, clock } = following;
  const { evidence } = run.watch;
  const end = endOf(following, watched);
  const reason = "reason" in end ? { reason: end.reason } : {};
  keepRecord(following, following.run, {
    state: end.kind,
    ...reason,
    ...(watched.kind === "over" ? { ended_by: watched.by } : {}),
  });
  if (end.kind !== "completed") throw errorOfEnd(end, input, evidence);
  if (evidence === undefined || run.mark === undefined)
    throw new AppError("INTERNAL", "a run was called completed without evidence; please report it");
  return {
    state: "completed",
    evidence: {
      source: "client_log",
      steps: evidence.steps,
      failed_actions: evidence.failedActions,
      log_offset: run.mark.offset,
    },
    duration_ms: Math.max(0, clock.now() - run.postedAtMs),
  };
}

function endOf({ run, input }: Following, watched: Exclude<WatchEnd, { kind: "interrupted" }>): RunEnd {
  const { evidence } = run.watch;
  if (watched.kind === "lost") {
    return { kind: "unknown", reason: "for a minute neither Aloha's client nor its log gave a sign of life" };
  }
  if (evidence === undefined) return { kind: "unknown", reason: "its log could not be read" };
  return decideEnd(evidence, input.max_steps);
}
