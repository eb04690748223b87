import type { Handlers } from "./attempt/handlers.ts";
import type { Backend, BackendWorker, ServedType, ServeOptions } from "./backend/backend.ts";
import { EmbeddedBackend } from "./backend/embedded/embedded.ts";
import { fireSchedules } from "./backend/schedule-runner.ts";
import { Submit } from "./backend/submit.ts";
import { reconcileTypeSchedules } from "./backend/type-schedules.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Config } from "./config/config.ts";
import { jobLimitsOf } from "./config/job-limits.ts";
import type { OpenMode } from "./database/open.ts";
import { AppError } from "./error.ts";
import { allowedEnvironment } from "./host/local/environment.ts";
import { machineIdentity } from "./host/local/machine.ts";
import type { JobType } from "./job/definition.ts";
import { execHandlers } from "./job-type/exec/handler.ts";
import { httpRequestHandlers } from "./job-type/http-request/handler.ts";
import { builtInTypes } from "./job-type/registry.ts";

/** What the program is put together from. */
export interface WindlassOptions {
  readonly config: Config;
  /** What this process may do to the database. */
  readonly mode: OpenMode;
  /** The user's own job types. */
  readonly types: readonly JobType[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** How long opening may wait for another process that holds the database. Default 10 s. */
  readonly busyLimitMs?: number;
}

/** The parts below the surfaces, put together. */
export interface Windlass extends AsyncDisposable {
  readonly config: Config;
  readonly clock: Clock;
  readonly backend: Backend;
  /** Present on the backend that has the capability `transaction`. */
  readonly embedded: EmbeddedBackend | undefined;
  readonly submit: Submit;
  /** Every job type that this process has loaded, by name. */
  readonly types: ReadonlyMap<string, JobType>;
  serve(options: WorkerOptions): Promise<BackendWorker>;
}

/** What a surface chooses about a worker. */
export type WorkerOptions = Pick<ServeOptions, "concurrency" | "labels" | "onStuck" | "onEvent" | "claims">;

/** Puts everything together, in the order in which it is needed. */
export async function composeWindlass({
  config,
  mode,
  types: own,
  environment,
  clock = systemClock,
  busyLimitMs,
}: WindlassOptions): Promise<Windlass> {
  const types = nameTypes([...builtInTypes(config), ...own]);
  const limits = {
    ...jobLimitsOf(config),
    leaseMs: config.worker.leaseMs,
    tickMs: config.worker.tickMs,
    killGraceMs: config.worker.killGraceMs,
    keptBytes: config.output.keptBytes,
    drainMs: config.worker.graceMs,
  };
  if (config.backend !== "embedded")
    throw new AppError("UNSUPPORTED", `backend ${config.backend} is not built into this version; use embedded`);
  const embedded = await EmbeddedBackend.open({
    path: config.database.path,
    mode,
    clock,
    limits,
    retention: {
      days: config.retention.days,
      jobs: config.retention.jobs,
      artifactDays: config.artifacts.retentionDays,
    },
    artifactRoot: config.artifacts.outDir,
    machine: machineIdentity,
    ...(busyLimitMs === undefined ? {} : { busyLimitMs }),
  });
  const backend: Backend = embedded;
  const submit = new Submit({ backend, clock, limits, policy: undefined, types });
  return {
    config,
    clock,
    backend,
    embedded,
    submit,
    types,
    serve: async (options) => {
      if (options.claims) await reconcileTypeSchedules(types.values(), backend.schedules, clock);
      return backend.serve({
        ...options,
        types: served(types, config, environment, clock),
        submitChild: (parent, type, input, childOptions) => submit.submitChild(parent, type, input, childOptions),
        fireSchedules: () =>
          fireSchedules({
            backend,
            submit,
            clock,
            graceMs: 2 * limits.tickMs + 1_000,
            onError: (name, error) => options.onEvent?.({ kind: "problem", error: scheduleProblem(name, error) }),
          }),
        secret: (name) => environment[name],
      });
    },
    [Symbol.asyncDispose]: () => backend.close(),
  };
}

/** Binds every loaded type to its code: built-in ones to the hosts, a user's own to what it brought. */
function served(
  types: ReadonlyMap<string, JobType>,
  config: Config,
  environment: WindlassOptions["environment"],
  clock: Clock,
): readonly ServedType[] {
  const { keptBytes } = config.output;
  const { killGraceMs, tickMs } = config.worker;
  const builtIn: Readonly<Record<string, () => Handlers>> = {
    exec: () =>
      execHandlers({
        clock,
        machine: machineIdentity(),
        environment: allowedEnvironment(config.exec.env, environment),
        uid: config.exec.uid,
        killGraceMs,
        keptBytes,
        tickMs,
      }),
    "http.request": () =>
      httpRequestHandlers({
        allow: config.httpRequest.allow,
        bodyBytes: config.httpRequest.bodyBytes,
        connectTimeoutMs: config.timeoutMs,
        clock,
      }),
  };
  return [...types.values()].flatMap((type) => {
    const handlers = builtIn[type.name]?.() ?? ownHandlers(type);
    return handlers === undefined ? [] : [{ type, handlers }];
  });
}

function ownHandlers({ run, check }: JobType): Handlers | undefined {
  if (run === undefined) return undefined;
  return { run, ...(check === undefined ? {} : { check }) };
}

function nameTypes(types: readonly JobType[]): ReadonlyMap<string, JobType> {
  const named = new Map<string, JobType>();
  for (const type of types) {
    if (named.has(type.name))
      throw new AppError("INVALID_DEFINITION", `two job types are named ${type.name}; names are unique`);
    named.set(type.name, type);
  }
  return named;
}

function scheduleProblem(name: string, error: unknown): { code: string; message: string } {
  const { code, message } = error instanceof AppError ? error : { code: "INTERNAL", message: String(error) };
  return { code, message: `schedule ${name}: ${message}` };
}
