import type { MachineIdentity } from "../../attempt/handlers.ts";
import { pause } from "../../clock.ts";
import { AppError } from "../../error.ts";
import type { AlohaTask, StartAnswer } from "../../host/aloha/client.ts";
import { findStart } from "../../host/aloha/find-start.ts";
import { LogFollower, type LogMark, markLog } from "../../host/aloha/log-follower.ts";
import { RunWatch } from "../../host/aloha/run-watch.ts";
import type { AlohaRunInput } from "./aloha-run.ts";
import { writeAlohaEffect } from "./effect.ts";
import type { AlohaHost, BegunRun, Preparation } from "./options.ts";
import { keepLog, keepRecord } from "./record.ts";
import { throwIfStopped } from "./stopped.ts";

/** What became of an attempt to start. */
export type Begun =
  | { readonly kind: "begun"; readonly run: BegunRun }
  /** Somebody else was first. */
  | { readonly kind: "busy" };

/** Starts in all; each follows the certainty that the one before began nothing. */
const STARTS_MAX = 3;
const PAUSE_MS = 1_000;

/**
 * Starts the run, once: another start follows only when it is certain that the one before began nothing.
 *
 * @throws AppError `HOST_UNREACHABLE` when nothing was begun; `OUTCOME_UNKNOWN` when nobody can say; `ALOHA_FAILED` when
 *   Aloha refuses it; `CONFIG` when nothing would tell how the run ends.
 */
export async function begin(
  preparation: Preparation,
  { machine, tellsBusy }: { readonly machine: MachineIdentity; readonly tellsBusy: boolean },
): Promise<Begun> {
  const { ctx, clock } = preparation;
  for (let start = 1; ; start++) {
    const mark = await tryMark(preparation, tellsBusy);
    const postedAtMs = clock.now();
    throwIfStopped(ctx.signal);
    await ctx.recordEffect({ machine, facts: writeAlohaEffect({ mark, postedAtMs }) });
    throwIfStopped(ctx.signal);
    const watch = watchFrom(preparation, mark);
    const answer = await preparation.host.client.start(taskOf(preparation.input, preparation.host), ctx.signal);
    const run = { watch, mark, postedAtMs };
    const begun = await judge(answer, run, preparation);
    if (begun !== "absent") return begun;
    if (start === STARTS_MAX) throw notBegun(answer);
    await pause(clock, PAUSE_MS, ctx.signal);
  }
}

/** Watches a run from where the client's log stood before it. */
export function watchFrom({ input, host, ctx, clock }: Preparation, mark: LogMark | undefined): RunWatch {
  const onLogProblem = (error: unknown): void =>
    ctx.log.warn("the log of Aloha's client cannot be read now; asking the client whether it is busy", {
      err: String(error),
    });
  const log = mark && new LogFollower({ read: host.readLog, mark, task: input.task, keep: keepLog(ctx) });
  return new RunWatch({ client: host.client, log, clock, onLogProblem });
}

async function judge(answer: StartAnswer, run: BegunRun, preparation: Preparation): Promise<Begun | "absent"> {
  const { ctx, clock } = preparation;
  switch (answer.kind) {
    case "accepted":
      return { kind: "begun", run: { ...run, answer: answer.answer } };
    case "busy":
      return { kind: "busy" };
    case "refused":
      keepRecord(preparation, run, { state: "failed", reason: answer.reason });
      throw new AppError("ALOHA_FAILED", `Aloha refused the task: ${answer.reason}`, { details: { acted: false } });
    case "unreachable":
      throw notBegun(answer);
    case "ambiguous": {
      ctx.log.warn("the start was not answered; looking whether it took place", { err: answer.reason });
      const found = await findStart(run.watch, { clock, signal: ctx.signal });
      // An attempt that is being stopped has to stop what may have begun.
      if (found === "started" || ctx.signal.aborted) return { kind: "begun", run };
      if (found === "absent") return "absent";
      keepRecord(preparation, run, { state: "unknown", reason: answer.reason });
      throw new AppError(
        "OUTCOME_UNKNOWN",
        `Aloha did not answer the start (${answer.reason}), and nothing says whether the run began; look at the desktop, then \`windlass jobs retry\``,
        { details: { acted: true } },
      );
    }
  }
}

async function tryMark({ host, ctx }: Preparation, tellsBusy: boolean): Promise<LogMark | undefined> {
  try {
    return await markLog(host.readLog, { signal: ctx.signal });
  } catch (error) {
    throwIfStopped(ctx.signal);
    if (!tellsBusy) {
      throw new AppError(
        "CONFIG",
        `aloha.client_log cannot be read and this Aloha does not say whether it is busy, so the end of a run could not be learned: ${String(error)}`,
        { cause: error },
      );
    }
    ctx.log.warn("aloha.client_log cannot be read: the run's end will be seen, and how it ended will stay unknown", {
      err: String(error),
    });
    return undefined;
  }
}

/** Aloha does one step less than it is told. */
function taskOf(input: AlohaRunInput, host: AlohaHost): AlohaTask {
  return {
    task: input.task,
    selectedScreen: input.selected_screen,
    demonstration: input.demonstration,
    actionUrl: host.actionUrl,
    stepsBound: input.max_steps + 1,
  };
}

function notBegun(answer: StartAnswer): AppError {
  const reason = "reason" in answer ? answer.reason : answer.kind;
  return new AppError("HOST_UNREACHABLE", `Aloha's client did not take the task: ${reason}; nothing was begun`, {
    details: { acted: false },
  });
}
