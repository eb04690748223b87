import { AttemptFolder, attemptPath } from "../../artifact/attempt-folder.ts";
import { pause } from "../../clock.ts";
import { type Duration, formatDuration, parseDuration } from "../../duration.ts";
import { AppError, type ErrorRecord, toErrorRecord } from "../../error.ts";
import { checkOptions } from "../../job/check-options.ts";
import type { StepContext, StepOptions } from "../../job/durable/context.ts";
import { type RecordedFile, writeError, writeValue } from "../../job/durable/outcome.ts";
import { backoffDelayMs, isRetryable } from "../../job/retry.ts";
import type { BackoffRule } from "../../job/rules.ts";
import type { Redactor } from "../../redact.ts";
import { maskedJson, maskTexts } from "../mask-texts.ts";
import type { PlacedCall } from "./services.ts";
import type { Acted, Edge } from "./turn.ts";

/** The function of a step. */
export type StepWork = (step: StepContext) => unknown;

/** Options of a step, read. */
export interface StepPlan {
  readonly retries: number;
  readonly backoff: Partial<BackoffRule>;
  readonly timeoutMs?: number;
}

const DAY_MS = 86_400_000;

/** @throws AppError `INVALID_INPUT` or `INVALID_DURATION` naming the option. */
export function readStepOptions(name: string, options: StepOptions): StepPlan {
  const what = `step ${JSON.stringify(name)}`;
  if (typeof name !== "string" || name.length === 0 || name.length > 256)
    throw new AppError("INVALID_INPUT", `${what}: a name is a text of 1 to 256 characters`);
  checkOptions(what, options, ["retries", "backoff", "timeout"]);
  const { retries = 0, backoff = {}, timeout } = options;
  checkOptions(`${what}: backoff`, backoff, ["first", "factor", "cap", "jitter"]);
  if (!(Number.isInteger(retries) && retries >= 0 && retries <= 100))
    throw new AppError("INVALID_INPUT", `${what}: retries is ${retries}; it must be 0 to 100`);
  const { first, factor, cap, jitter } = backoff;
  if (factor !== undefined && !(factor >= 1 && factor <= 10))
    throw new AppError("INVALID_INPUT", `${what}: backoff.factor is ${factor}; it must be 1 to 10`);
  if (jitter !== undefined && !(jitter >= 0 && jitter <= 1))
    throw new AppError("INVALID_INPUT", `${what}: backoff.jitter is ${jitter}; it must be 0 to 1`);
  const duration = (field: string, value: Duration): number =>
    parseDuration(value, { what: `${what}: ${field}`, maxMs: DAY_MS });
  return {
    retries,
    backoff: {
      ...(first === undefined ? {} : { firstMs: duration("backoff.first", first) }),
      ...(factor === undefined ? {} : { factor }),
      ...(cap === undefined ? {} : { capMs: duration("backoff.cap", cap) }),
      ...(jitter === undefined ? {} : { jitter }),
    },
    ...(timeout === undefined ? {} : { timeoutMs: duration("timeout", timeout) }),
  };
}

/** A step that is being made. */
export interface Step {
  readonly edge: Edge;
  readonly call: PlacedCall;
  readonly work: StepWork;
  readonly plan: StepPlan;
  /** Fires when the attempt stops. */
  readonly signal: AbortSignal;
  readonly redactor: Redactor | undefined;
}

/** Tries a step until it ends well or has no tries left, and records what came of it before anybody sees it. */
export async function performStep(step: Step): Promise<Acted> {
  const { edge, call, plan, redactor, signal } = step;
  const { durable, control, services } = edge;
  for (let failures = 0; ; ) {
    const tried = await tryOnce(step, failures);
    if (tried.kind === "value") return record(edge, call, tried.outcome);
    // What fails because it was told to stop has not failed: it runs again where the job goes on.
    if (control.reason !== undefined) return { kind: "stopped" };
    if (++failures > plan.retries || !isRetryable(tried.error))
      return record(edge, call, writeError(maskTexts(toErrorRecord(tried.error, "HANDLER_FAILED"), redactor)));
    await pause(
      services.clock,
      backoffDelayMs({ ...durable.backoff, ...plan.backoff }, failures, Math.random()),
      signal,
    );
    if (control.reason !== undefined) return { kind: "stopped" };
  }
}

async function record({ durable }: Edge, call: PlacedCall, outcome: string): Promise<Acted> {
  await durable.append(call, outcome);
  return { kind: "settled", outcome };
}

type Tried =
  | { readonly kind: "value"; readonly outcome: string }
  | { readonly kind: "thrown"; readonly error: unknown };

async function tryOnce(step: Step, failures: number): Promise<Tried> {
  const kept: RecordedFile[] = [];
  try {
    const value = await runLimited(step, (signal) => step.work(stepContext(step, { signal, kept, failures })));
    return { kind: "value", outcome: writeResult(step, value, kept) };
  } catch (error) {
    return { kind: "thrown", error };
  }
}

function writeResult({ call, edge, redactor }: Step, value: unknown, kept: readonly RecordedFile[]): string {
  const json = toJson(`step ${JSON.stringify(call.name)}`, value, redactor);
  const { valueBytes } = edge.services.limits;
  const bytes = json === undefined || json.length <= valueBytes / 3 ? 0 : Buffer.byteLength(json);
  if (bytes > valueBytes)
    return writeError(tooLarge(`step ${JSON.stringify(call.name)} returned ${bytes} bytes of JSON`, valueBytes));
  return writeValue(json, kept);
}

function tooLarge(what: string, valueBytes: number): ErrorRecord {
  return { code: "TOO_LARGE", message: `${what}; job.value_bytes allows ${valueBytes}: keep a file instead` };
}

/** What a call answers must be JSON, because a replay gives it back from there. @throws AppError `INVALID_RESULT`. */
export function toJson(what: string, value: unknown, redactor: Redactor | undefined): string | undefined {
  const json = maskedJson(value, redactor);
  if (json.kind === "json") return json.text;
  throw new AppError("INVALID_RESULT", `${what} returned what JSON cannot hold (${json.reason}); return plain data`, {
    cause: json.cause,
  });
}

/** Runs one try; one that does not end within its timeout, after its signal fired, is left to itself. */
async function runLimited(step: Step, run: (signal: AbortSignal) => unknown): Promise<unknown> {
  const { plan, edge, signal, call } = step;
  if (plan.timeoutMs === undefined) return run(signal);
  const { timeoutMs } = plan;
  const { clock, limits } = edge.services;
  const stop = new AbortController();
  const forward = (): void => stop.abort(signal.reason);
  if (signal.aborted) forward();
  signal.addEventListener("abort", forward, { once: true });
  const late = Promise.withResolvers<never>();
  const error = new AppError(
    "TIMEOUT",
    `step ${JSON.stringify(call.name)} ran longer than its timeout of ${formatDuration(timeoutMs)}`,
  );
  let over = false;
  let timer = clock.after(timeoutMs, () => {
    over = true;
    stop.abort("timeout");
    timer = clock.after(limits.killGraceMs, () => late.reject(error));
  });
  try {
    const value = await Promise.race([Promise.resolve(run(stop.signal)), late.promise]);
    if (over) throw error;
    return value;
  } catch (thrown) {
    throw over ? error : thrown;
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", forward);
  }
}

function stepContext(
  { edge, call, redactor }: Step,
  {
    signal,
    kept,
    failures,
  }: { readonly signal: AbortSignal; readonly kept: RecordedFile[]; readonly failures: number },
): StepContext {
  const { request, services } = edge;
  const own = `${attemptPath(request.jobId, request.runNumber, request.attempt)}.${call.position}.${failures}`;
  let folder: AttemptFolder | undefined;
  return {
    stepKey: `${request.jobId}/${request.runNumber}/${call.position}`,
    signal,
    keep: async (path, content) => {
      // A folder for each try: what a try kept that was not recorded belongs to nobody.
      folder ??= new AttemptFolder(services.artifactRoot, own);
      const file = await folder.keep(path, masked(content, redactor), services.limits.keptBytes);
      const again = kept.findIndex((known) => known.path === file.path);
      kept.splice(again === -1 ? kept.length : again, 1, { ...file, folder: own });
      return file;
    },
  };
}

/** Now and not at the job's end: that takes a copy, and what the step kept stays below it. */
function masked(content: string | Uint8Array, redactor: Redactor | undefined): string | Uint8Array {
  if (redactor === undefined) return content;
  const stream = redactor.stream();
  return Buffer.concat([stream.push(Buffer.from(content)), stream.flush()]);
}
