import type { JobStatus, WorkerEvent } from "../../backend/backend.ts";
import type { JobRequest } from "../../backend/submit.ts";
import { isBlock } from "../../config/schema/lists.ts";
import { formatDuration } from "../../duration.ts";
import { AppError, errorText, exitStatusOf } from "../../error.ts";
import { enqueueJob } from "../../operations/jobs/enqueue.ts";
import { outputFiles } from "../../operations/jobs/output-files.ts";
import { toJobRequest } from "../../operations/jobs/request.ts";
import { type JobStatusOutput, jobStatusOutput, jobVerdict } from "../../operations/jobs/status-output.ts";
import { readInput } from "../../operations/operation.ts";
import type { Windlass } from "../../windlass.ts";
import type { Call, Command } from "../command.ts";
import { followOutput } from "../follow-output.ts";
import { LiveLine } from "../live-line.ts";
import { commandOf, withVerdict } from "../operation-command.ts";
import { renderJson, renderLines } from "../render.ts";
import { leaveAtOnce, onStopSignals } from "../stop-signals.ts";
import { neutralise, style } from "../terminal.ts";
import { typeFlags } from "../typed-input.ts";
import { liveText } from "../watch-job.ts";

const enqueue = commandOf(enqueueJob, {
  run: (call, { input }) => runHere(call, readInput({ ...enqueueJob, name: "run" }, input)),
});

/** `run`: enqueues one job, executes it in this process and follows it. */
export const run: Command = {
  ...enqueue,
  name: "run",
  summary: "Run a job in this process and follow it.",
  description:
    "The job is stored like any other, so limits, policy, history and artifacts apply. Its output passes through as it comes; the exit status is its verdict. Ctrl-C cancels it; a second one leaves at once.",
  words: [{ name: "type", flag: "type", isRequired: true }],
  settings: ["jobs", "label"],
  moreFlags: (early) => typeFlags(early, enqueue.flags, "word"),
};

async function runHere(call: Call, asked: Parameters<typeof toJobRequest>[0]): Promise<number> {
  const { session, log, terminal } = call;
  const windlass = await session.open("migrate", true);
  const request = here(toJobRequest(asked, session.actor));
  await checkLabels(windlass, request);
  using live = liveProgress(call, request.type);
  const worker = await windlass.serve({
    concurrency: 1,
    labels: windlass.config.worker.labels,
    onStuck: "kill",
    claims: false,
    onEvent: (event) => logEvent(call, live, event),
  });
  const [accepted] = await windlass.submit.submit([request], { startOn: worker });
  const jobId = accepted?.jobId ?? "";
  if (!terminal.logsToPerson) log.info("run", "job stored", { job_id: jobId, trace_id: accepted?.traceId });
  const cancel = (): void => {
    live.wipe();
    log.warn("run", "cancelling the job; once more leaves at once", { job_id: jobId });
    windlass.backend
      .cancel(jobId, session.actor)
      .catch((error: unknown) => log.error("run", "cancel failed", { err: error }));
  };
  using _ = onStopSignals({ first: cancel, further: leaveAtOnce });
  terminal.closed.addEventListener("abort", cancel, { once: true });
  const status = await followOutput({
    backend: windlass.backend,
    jobId,
    environment: process.env,
    artifactRoot: windlass.config.artifacts.outDir,
    signal: session.context().signal,
    onChange: (now) => live.show(now),
    write: call.globals.quiet || call.globals.json ? async () => undefined : passThrough(call, live),
  });
  live[Symbol.dispose]();
  terminal.closed.removeEventListener("abort", cancel);
  return conclude(call, jobStatusOutput(status));
}

/** The end as a person reads it: how it went, and where to look further. */
function tellPerson(
  { job_id, state, error, attempt, started_at, ended_at }: JobStatusOutput,
  { terminal, log }: Pick<Call, "terminal" | "log">,
): void {
  if (state === "completed") {
    const ms = Date.parse(ended_at ?? "") - Date.parse(started_at ?? "");
    const took = Number.isFinite(ms) ? ` in ${formatDuration(Math.max(0, ms))}` : "";
    log.info("run", `job completed${took}`, { job_id, attempt: attempt > 1 ? attempt : undefined });
    return;
  }
  const [code = "", message = ""] = (error ?? `${state}: the job did not complete`).split(/: (.*)/s);
  terminal.error(`${style(terminal, "red", code)}: ${neutralise(message)}\n`);
  log.info("run", `job ${state}; \`windlass jobs logs ${job_id}\` tells what happened`);
}

/** A program that is run here runs in this folder, as from a shell. */
function here(request: JobRequest): JobRequest {
  const { type, input } = request;
  if (type !== "exec" || !isBlock(input) || "cwd" in input) return request;
  return { ...request, input: { ...input, cwd: process.cwd() } };
}

/** @throws AppError `INVALID_INPUT`: what this process does not offer it must not run. */
async function checkLabels({ submit, config }: Windlass, request: JobRequest): Promise<void> {
  await submit.load(request.type);
  const { requires } = submit.prepare(request).spec;
  const missing = Object.entries(requires).filter(([key, value]) => config.worker.labels[key] !== value);
  if (missing.length === 0) return;
  const labels = missing.map(([key, value]) => `${key}=${value}`);
  throw new AppError(
    "INVALID_INPUT",
    `run: the job requires ${labels.join(", ")}, which this process does not offer; add ${labels.map((label) => `--label ${label}`).join(" ")}, or enqueue it for a worker that does`,
  );
}

interface Progress extends Disposable {
  show(status: JobStatus): void;
  wipe(): void;
}

/** A person sees how far a job is whose own output would not tell. */
function liveProgress({ terminal, globals }: Call, type: string): Progress {
  const isShown = terminal.isPerson && !globals.json && !globals.quiet && outputFiles(type).length === 1;
  if (!isShown) return { show: () => undefined, wipe: () => undefined, [Symbol.dispose]: () => undefined };
  let newest: JobStatus | undefined;
  let line: LiveLine | undefined;
  return {
    show(status) {
      newest = status;
      line ??= new LiveLine(terminal, () => (newest === undefined ? "" : liveText(newest)));
    },
    wipe: () => line?.wipe(),
    [Symbol.dispose]() {
      line?.[Symbol.dispose]();
      line = undefined;
    },
  };
}

function passThrough({ terminal }: Pick<Call, "terminal">, live: Pick<Progress, "wipe">) {
  return (stream: string, bytes: Uint8Array): Promise<void> => {
    live.wipe();
    return terminal.write(stream === "stdout" ? "out" : "error", bytes);
  };
}

/** Attempts that fail and are tried again would be invisible else. */
function logEvent({ log }: Pick<Call, "log">, live: Pick<Progress, "wipe">, event: WorkerEvent): void {
  live.wipe();
  if (event.kind === "problem") log.warn("run", "the worker has a problem", { err: errorText(event.error) });
  if (event.kind !== "failed" || event.final) return;
  const { jobId, traceId, attempt, retriesLeft, final, durationMs, error } = event;
  log.warn("run", "attempt failed, another follows", {
    job_id: jobId,
    trace_id: traceId,
    attempt,
    retries_left: retriesLeft,
    final,
    duration_ms: durationMs,
    err: error === undefined ? undefined : errorText(error),
  });
}

function conclude({ globals, terminal, log }: Call, output: JobStatusOutput): number {
  const code = jobVerdict(output);
  const { job_id, trace_id, type, state, outcome, result, error, attempt } = output;
  if (globals.json)
    terminal.out(
      renderJson(
        withVerdict(output, code === undefined ? undefined : { code, message: `job ${job_id} is ${state}` }),
        terminal,
      ),
    );
  // What prints its own output prints nothing else; of any other type the result is the output.
  else if (outputFiles(type).length === 1 && !globals.quiet) {
    terminal.out(
      renderLines([{ job_id, state, outcome: outcome ?? undefined, result: result ?? undefined }], terminal),
    );
  }
  if (terminal.logsToPerson) tellPerson(output, { terminal, log });
  else {
    const fields = { job_id, trace_id, attempt, state: outcome ?? state };
    if (code === undefined) log.info("run", "job completed", fields);
    else log.error("run", "job did not complete", { ...fields, err: error ?? undefined });
  }
  return code === undefined ? 0 : exitStatusOf(code);
}
