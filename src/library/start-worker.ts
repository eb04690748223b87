import type { BackendWorker, WorkerEvent } from "../backend/serving.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { AppError } from "../error.ts";
import { checkOptions } from "../job/check-options.ts";
import { askPolicy, type ClientParts } from "./parts.ts";

/** How a worker of an application runs. */
export interface StartWorkerOptions {
  /** Jobs at once; 1 to 100. Default `worker.concurrency` (5). */
  readonly concurrency?: number;
  /** What it offers to jobs that require it. Default `worker.labels`. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * What to do when a handler blocks this process beyond its timeout. `report` (the default) writes it into the job's
   * history and tells `onEvent`; `kill` records the attempt as failed and ends the process, for a process that is nothing
   * but a worker.
   */
  readonly onStuck?: "report" | "kill";
  /** Called for each move of a job and for each problem. What it throws is printed as a warning. */
  readonly onEvent?: (event: WorkerEvent) => void;
}

/** A worker that runs in this process. */
export interface RunningWorker extends AsyncDisposable {
  /** A UUID. */
  readonly id: string;
  /**
   * Stops claiming, lets running jobs finish for `grace` (default `worker.grace`, 30 s), then gives the rest back.
   * Idempotent; a second call with a shorter grace shortens the first.
   */
  stop(options?: { readonly grace?: Duration }): Promise<void>;
  /** Settles when it has stopped. */
  readonly stopped: Promise<void>;
}

const OPTIONS = ["concurrency", "labels", "onStuck", "onEvent"] satisfies (keyof StartWorkerOptions)[];

/** Starts a worker. */
export async function startWorker(parts: ClientParts, options: StartWorkerOptions): Promise<RunningWorker> {
  checkOptions("startWorker", options, OPTIONS);
  const { config, serve } = parts.windlass;
  const { concurrency = config.worker.concurrency, labels = config.worker.labels, onStuck = "report" } = options;
  if (!(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 100))
    throw new AppError("INVALID_INPUT", `startWorker: concurrency is ${concurrency}; it must be 1 to 100`);
  const unlabelled = Object.entries(labels).find(([, value]) => typeof value !== "string");
  if (unlabelled !== undefined)
    throw new AppError("INVALID_INPUT", `startWorker: label ${unlabelled[0]} is not a text`);
  if (onStuck !== "report" && onStuck !== "kill")
    throw new AppError(
      "INVALID_INPUT",
      `startWorker: onStuck is ${JSON.stringify(onStuck)}; it must be report or kill`,
    );
  await askPolicy(parts, "worker");
  const worker = await serve({
    concurrency,
    labels,
    onStuck,
    claims: true,
    ...(options.onEvent === undefined ? {} : { onEvent: shielded(options.onEvent) }),
  });
  holdProcess(worker);
  return running(worker, config.worker.graceMs);
}

function running(worker: BackendWorker, ownGraceMs: number): RunningWorker {
  const stop = async ({ grace }: { readonly grace?: Duration } = {}): Promise<void> =>
    worker.stop({ graceMs: readGrace(grace) ?? ownGraceMs });
  return { id: worker.id, stopped: worker.stopped, stop, [Symbol.asyncDispose]: () => stop() };
}

/** @throws AppError `INVALID_DURATION` */
export function readGrace(grace: Duration | undefined): number | undefined {
  return grace === undefined ? undefined : parseDuration(grace, { what: "grace", minMs: 0, maxMs: 86_400_000 });
}

/** The worker's own timers let the process end, because a direct command uses them too; a worker must not vanish. */
function holdProcess(worker: BackendWorker): void {
  const hold = setInterval(() => undefined, 2 ** 30);
  void worker.stopped.then(() => clearInterval(hold));
}

/** A listener that throws must not stop the engine in the middle of its work. */
function shielded(onEvent: (event: WorkerEvent) => void): (event: WorkerEvent) => void {
  return (event) => {
    try {
      onEvent(event);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), { type: "WindlassListenerWarning" });
    }
  };
}
