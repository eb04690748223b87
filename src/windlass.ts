import type { Backend } from "./backend/backend.ts";
import { EmbeddedBackend } from "./backend/embedded/embedded.ts";
import { policyLogAt } from "./backend/embedded/policy-log.ts";
import type { WorkerLimits } from "./backend/embedded/running/worker-parts.ts";
import { PolicyGate } from "./backend/policy-gate.ts";
import type { BackendWorker, ServedType, ServeOptions } from "./backend/serving.ts";
import { Submit } from "./backend/submit.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Config } from "./config/config.ts";
import { jobLimitsOf } from "./config/job-limits.ts";
import { policyInForce } from "./config/policy/policy-in-force.ts";
import type { OpenMode } from "./database/open.ts";
import { AppError } from "./error.ts";
import { machineIdentity } from "./host/local/machine.ts";
import type { JobType } from "./job/definition.ts";
import type { JobLimits } from "./job/limits.ts";
import type { BindParts } from "./job-type/bind-parts.ts";
import { builtInTypes, handlersOf } from "./job-type/registry.ts";
import type { PolicyInForce } from "./policy/in-force.ts";

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
  /** The policy, where it was loaded before. */
  readonly inForce?: PolicyInForce | undefined;
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
  /** Where the policy is asked about what is no job; jobs are asked about by {@link submit}. */
  readonly gate: PolicyGate;
  readonly submit: Submit;
  /** Every job type that this process has loaded, by name. */
  readonly types: ReadonlyMap<string, JobType>;
  serve(options: WorkerOptions): Promise<BackendWorker>;
}

/** What a surface chooses about a worker. */
export type WorkerOptions = Pick<ServeOptions, "concurrency" | "labels" | "onStuck" | "onEvent" | "claims">;

/** Puts everything together, in the order in which it is needed. */
export async function composeWindlass(options: WindlassOptions): Promise<Windlass> {
  const { config, environment, clock = systemClock } = options;
  checkSupported(config);
  // First: without the policy nothing is done, and no file is made.
  const inForce = options.inForce ?? (await policyInForce(config));
  const types = nameTypes([...builtInTypes(config), ...options.types]);
  const limits = limitsOf(config);
  const embedded = await openEmbedded(options, clock, limits);
  const backend: Backend = embedded;
  const log = options.mode === "read" ? policyLogAt(config.database.path, clock) : backend.policyLog;
  const gate = new PolicyGate({ inForce, log, clock });
  const submit = new Submit({ backend, clock, limits, gate, types });
  const closings: Promise<void>[] = [];
  return {
    config,
    clock,
    backend,
    embedded,
    gate,
    submit,
    types,
    serve: async (worker) => {
      // Loaded where jobs run, as are the handlers: a command that only reads starts without them.
      const [{ fireSchedules }, { reconcileTypeSchedules }, { Machines }, { judgeApproval }, { requireSshKeygen }] =
        await Promise.all([
          import("./backend/schedule-runner.ts"),
          import("./backend/type-schedules.ts"),
          import("./host/machines.ts"),
          import("./approval/verify.ts"),
          import("./approval/ssh-keygen.ts"),
        ]);
      // Now, and not when a job that waited for days goes on.
      if (inForce.policy !== undefined && inForce.policy.approvers.length > 0) requireSshKeygen();
      if (worker.claims) {
        await reconcileTypeSchedules(types.values(), backend.schedules, clock);
        const { removeLeftovers } = await import("./host/remove-leftovers.ts");
        await removeLeftovers();
      }
      const onError = (name: string, error: unknown): void =>
        worker.onEvent?.({ kind: "problem", error: scheduleProblem(name, error) });
      const machines = new Machines({ config, clock });
      const served = await backend.serve({
        ...worker,
        types: await servedTypes(types.values(), { config, clock, environment, machines }),
        submitChild: (parent, type, input, child) => submit.submitChild(parent, type, input, child),
        prepareChild: (parent, type, input, child) => submit.prepareChild(parent, type, input, child),
        checkPolicy: (job) => gate.checkJob(job).demand,
        demandOf: (call) => gate.demandOf(call),
        judge: (approval, terms) => judgeApproval(approval, terms, inForce, clock.now()),
        fireSchedules: () => fireSchedules({ backend, submit, clock, graceMs: 2 * limits.tickMs + 1_000, onError }),
        secret: (name) => environment[name],
      });
      closings.push(closeAfter(served, machines));
      return served;
    },
    [Symbol.asyncDispose]: async () => {
      await backend.close();
      await Promise.allSettled(closings);
    },
  };
}

/** What a worker opened goes with it. */
async function closeAfter({ stopped }: BackendWorker, machines: AsyncDisposable): Promise<void> {
  await stopped.catch(() => undefined);
  await machines[Symbol.asyncDispose]();
}

/** What the configuration asks for and this version does not have is refused here, not half done later. */
function checkSupported({ backend }: Config): void {
  if (backend !== "embedded")
    throw new AppError("UNSUPPORTED", `backend ${backend} is not built into this version; use embedded`);
}

function limitsOf(config: Config): JobLimits & WorkerLimits {
  const { leaseMs, tickMs, killGraceMs, graceMs } = config.worker;
  return { ...jobLimitsOf(config), leaseMs, tickMs, killGraceMs, keptBytes: config.output.keptBytes, drainMs: graceMs };
}

async function openEmbedded(
  { config, mode, busyLimitMs }: WindlassOptions,
  clock: Clock,
  limits: JobLimits & WorkerLimits,
): Promise<EmbeddedBackend> {
  const { retention, artifacts, database } = config;
  return EmbeddedBackend.open({
    path: database.path,
    mode,
    clock,
    limits,
    retention: { days: retention.days, jobs: retention.jobs, artifactDays: artifacts.retentionDays },
    artifactRoot: artifacts.outDir,
    machine: machineIdentity,
    ...(busyLimitMs === undefined ? {} : { busyLimitMs }),
  });
}

async function servedTypes(types: Iterable<JobType>, parts: BindParts): Promise<readonly ServedType[]> {
  const served: ServedType[] = [];
  for (const type of types) {
    const handlers = await handlersOf(type, parts);
    if (handlers !== undefined) served.push({ type, handlers });
  }
  return served;
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
