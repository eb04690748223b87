import { AttemptFolder, attemptPath } from "../../artifact/attempt-folder.ts";
import { AppError, isAppError, toErrorRecord } from "../../error.ts";
import type { DurableContext } from "../../job/durable/context.ts";
import type { Redactor } from "../../redact.ts";
import type { AttemptControl } from "../control.ts";
import { readInput } from "../run-attempt.ts";
import type { AttemptEnd, AttemptRequest, AttemptServices } from "../services.ts";
import { settle } from "../settle.ts";
import { Coroutine } from "./coroutine.ts";
import { createDurableContext } from "./durable-context.ts";
import { gatherKept } from "./gather-kept.ts";
import type { DurableServices } from "./services.ts";
import type { Edge, Turn } from "./turn.ts";

/** What an attempt of a durable job needs beside that of any job. */
export interface DurableParts {
  readonly durable: DurableServices;
  /** The code as an earlier attempt of this process parked it. */
  readonly parked: ParkedRun | undefined;
  /** Told of the code as soon as it runs, so that it can be parked when it waits. */
  readonly onRun: (run: ParkedRun) => void;
}

/** Running code with what its end needs. */
export interface ParkedRun {
  readonly coroutine: Coroutine;
  readonly input: unknown;
  readonly redactor: Redactor | undefined;
}

/**
 * Makes one attempt of a durable job: lets its code go on, from memory or from the top, until it ends, waits or is stopped.
 * What suspends it is recorded already when this returns; any other end is for whoever holds the lease.
 */
export async function runDurableAttempt(
  request: AttemptRequest,
  services: AttemptServices,
  control: AttemptControl,
  { durable, parked, onRun }: DurableParts,
): Promise<AttemptEnd> {
  const edge: Edge = { request, services, durable, control, folder: runFolder(request, services) };
  if (request.deadlineMs !== undefined && request.deadlineMs <= services.clock.now())
    control.stop("timeout", { byDeadline: true });
  // A cancel that was asked for while no worker had the job: nothing of its code is run.
  if (control.reason !== undefined) {
    parked?.coroutine.evict();
    return settle(
      { kind: "thrown", error: control.reason },
      { request, services, control, folder: edge.folder, redactor: parked?.redactor, keeps: [] },
    );
  }
  let begun: Begun;
  try {
    const read = parked ?? readInput(request, services);
    const asked = services.obtainLeave(request, read.input);
    if (asked !== undefined) {
      const leave = await control.guard(asked);
      if (leave !== "granted") parked?.coroutine.evict();
      if (leave === "waits") return { kind: "suspended" };
      if (control.reason !== undefined) throw new AppError("CANCELLED", "it was stopped before its code went on");
      if (leave !== "granted") return leave;
    }
    begun = goOn(edge, parked) ?? begin(edge, read);
  } catch (error) {
    // Its input, a secret, people who did not give leave, or a policy that changed while it waited.
    parked?.coroutine.evict();
    if (control.reason !== undefined || isLost(error))
      return settle({ kind: "thrown", error }, { ...edge, redactor: parked?.redactor, keeps: [] });
    return { kind: "failed", error: toErrorRecord(error), retryable: false };
  }
  onRun(begun.run);
  return endOf(edge, begun);
}

function isLost(error: unknown): boolean {
  return isAppError(error) && error.code === "LEASE_LOST";
}

/**
 * All attempts of a run share the folder of its first one, so that the log goes on where it stood. What a late worker could
 * write there is the same: it gets no further than the record that it knew.
 */
function runFolder({ jobId, runNumber }: AttemptRequest, { artifactRoot }: AttemptServices): AttemptFolder {
  return new AttemptFolder(artifactRoot, attemptPath(jobId, runNumber, 1), true);
}

interface Begun {
  readonly run: ParkedRun;
  readonly turn: Promise<Turn>;
}

/** Lets parked code go on; `undefined` when it must run from the top. */
function goOn(edge: Edge, parked: ParkedRun | undefined): Begun | undefined {
  if (parked === undefined) return undefined;
  const turn = parked.coroutine.resume(edge);
  if (turn !== undefined) return { run: parked, turn };
  parked.coroutine.evict();
  return undefined;
}

function begin(edge: Edge, { input, redactor }: Pick<ParkedRun, "input" | "redactor">): Begun {
  const coroutine = new Coroutine();
  const code = edge.request.handlers.run as unknown as (input: unknown, ctx: DurableContext) => unknown;
  const turn = coroutine.begin(edge, () => code(input, createDurableContext({ coroutine, redactor })));
  return { run: { coroutine, input, redactor }, turn };
}

async function endOf(edge: Edge, { run, turn }: Begun): Promise<AttemptEnd> {
  const { control, request, services, folder } = edge;
  const ended = await control.guard(turn).catch((error: unknown): Turn => {
    // Abandoned: its code did not listen to the signal.
    run.coroutine.evict();
    return { kind: "ended", end: { kind: "thrown", error } };
  });
  if (ended.kind === "suspended") return ended;
  const settling = { request, services, control, folder, redactor: run.redactor, keeps: [] };
  if (ended.kind === "put-off")
    return control.reason === undefined ? ended : settle({ kind: "thrown", error: control.reason }, settling);
  if (ended.kind === "continued") {
    gatherKept(edge);
    const files = folder.exists ? await folder.seal(run.redactor) : [];
    const kept = files.length === 0 ? {} : { kept: { folder: folder.path, files } };
    return { kind: "continued", call: ended.call, inputJson: ended.inputJson, ...kept };
  }
  if (!staysWithJob(control)) return settle(ended.end, settling);
  gatherKept(edge);
  return settle(ended.end, settling);
}

/** True where the end is the run's, so that what its steps kept is promoted. */
function staysWithJob({ reason }: AttemptControl): boolean {
  return reason !== "stopping" && reason !== "lease_lost";
}
