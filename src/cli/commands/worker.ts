import type { WorkerEvent } from "../../backend/serving.ts";
import { formatDuration, parseDuration } from "../../duration.ts";
import { errorText } from "../../error.ts";
import type { Logger } from "../../logfmt.ts";
import type { Windlass } from "../../windlass.ts";
import type { Call, Command } from "../command.ts";
import { commandLog } from "../log.ts";
import { leaveAtOnce, onStopSignals } from "../stop-signals.ts";
import { startMetrics } from "../worker-metrics.ts";

const DEFAULT_INTERVAL = "30s";

/** `worker`: runs jobs until it is told to stop. */
export const worker: Command = {
  name: "worker",
  summary: "Run jobs until told to stop.",
  description:
    "TERM or Ctrl-C stops claiming and lets jobs finish for worker.grace; a second one leaves at once. Programs of exec go on and are adopted by the next worker.",
  flags: [
    {
      name: "metrics",
      kind: "boolean",
      description: "Writes counters as metric=NAME value=N ts=TIME at start, at each interval and at the end.",
    },
    {
      name: "metrics-interval",
      kind: "text",
      placeholder: "DURATION",
      description: "How often, 1s to 24h.",
      default: DEFAULT_INTERVAL,
    },
  ],
  words: [],
  settings: ["jobs", "concurrency", "label"],
  run: runWorker,
};

async function runWorker(call: Call): Promise<number> {
  const { session, terminal, values, globals } = call;
  const interval = String(values.get("metrics-interval") ?? DEFAULT_INTERVAL);
  const intervalMs = parseDuration(interval, { what: "--metrics-interval", minMs: 1_000, maxMs: 86_400_000 });
  // Before anything is opened: who may not run jobs must not migrate a database either.
  await (await session.gate()).ask(session.actor, { operation: "worker", access: "write", labels: {} });
  const windlass = await session.open("migrate", true);
  const log = commandLog(terminal, { quiet: globals.quiet, component: "engine" });
  const { config } = windlass;
  using metrics =
    values.get("metrics") === true
      ? startMetrics({
          path: config.metricsPath,
          intervalMs,
          json: globals.json,
          terminal,
          submit: windlass.submit,
          log,
        })
      : undefined;
  const serving = await windlass.serve({
    concurrency: config.worker.concurrency,
    labels: config.worker.labels,
    onStuck: "kill",
    claims: true,
    onEvent(event) {
      metrics?.count(event);
      logEvent(log, event);
    },
  });
  using _ = onStopSignals({
    first(signal) {
      log.info("worker", "worker stops", { signal, grace: formatDuration(config.worker.graceMs) });
      void serving.stop({ graceMs: config.worker.graceMs });
    },
    further(signal) {
      log.warn("worker", "worker leaves at once", { signal });
      leaveAtOnce(signal);
    },
  });
  // Said last: who reads it may stop the worker at once.
  log.info("worker", "worker started", startFacts(windlass));
  await serving.stopped;
  log.info("worker", "worker stopped");
  return 0;
}

function startFacts({ config, types, gate }: Windlass) {
  return {
    database: config.database.path,
    concurrency: config.worker.concurrency,
    labels: Object.keys(config.worker.labels).length > 0 ? config.worker.labels : undefined,
    types: [...types.keys()].join(","),
    policy: config.policy,
    policy_level: config.policy === undefined ? undefined : gate.inForce.level,
    policy_digest: gate.inForce.digest,
    pid: process.pid,
  };
}

function logEvent(log: Logger, event: WorkerEvent): void {
  if (event.kind === "problem") log.error("worker", "the worker has a problem", { err: errorText(event.error) });
  else if (event.kind === "reclaimed") {
    const { jobId, from, reason } = event;
    log.warn("worker", "job taken from a worker that is gone", { job_id: jobId, from, reason });
  } else logMove(log, event);
}

function logMove(log: Logger, event: Exclude<WorkerEvent, { kind: "problem" | "reclaimed" }>): void {
  const { kind, type, jobId, traceId, attempt, retriesLeft, final, durationMs, error } = event;
  const fields = {
    job_id: jobId,
    trace_id: traceId,
    attempt,
    retries_left: retriesLeft,
    final,
    duration_ms: durationMs,
    err: error === undefined ? undefined : errorText(error),
  };
  if (kind === "failed" && final) log.error(type, "job failed", fields);
  else if (kind === "failed") log.warn(type, "attempt failed", fields);
  else if (error !== undefined && kind === "released") log.warn(type, "job released", fields);
  else log.info(type, `job ${kind}`, fields);
}
