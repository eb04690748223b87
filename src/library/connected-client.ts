import type { EmbeddedBackend } from "../backend/embedded/embedded.ts";
import type { Duration } from "../duration.ts";
import { AppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import type { SubmitOptions } from "../job/options.ts";
import type { Actor } from "../policy/actor.ts";
import type { Windlass } from "../windlass.ts";
import { type Cancelled, cancelNamed } from "./cancel.ts";
import type { WindlassClient } from "./client.ts";
import { type EmitOptions, type EmittedEvent, emitEvent } from "./emit-event.ts";
import { type EmbeddedClient, enqueueWith } from "./enqueue-with.ts";
import { type JobStatus, jobStatus } from "./job-status.ts";
import { type JobPage, type ListFilter, listJobs } from "./list-jobs.ts";
import { listScheduled } from "./list-scheduled.ts";
import { askPolicy, type ClientParts } from "./parts.ts";
import type { RunOptions, SubmitRequest, SubmittedJob, WaitOptions } from "./requests.ts";
import { type CronTimes, type FutureTime, type ScheduledItem, schedule } from "./schedule.ts";
import { type RunningWorker, readGrace, type StartWorkerOptions, startWorker } from "./start-worker.ts";
import { submitJobs } from "./submit-jobs.ts";
import { runAndWait, waitForJob } from "./wait-for-job.ts";

type Type = JobType | string;

/** An open client. Each verb stands in a file of its own; what is here is the lifetime. */
export class ConnectedClient {
  readonly actor: Actor;
  readonly capabilities: WindlassClient["capabilities"];
  readonly warnings: readonly string[];
  readonly embedded: EmbeddedClient | undefined;
  readonly #parts: ClientParts;
  readonly #closing = new AbortController();
  readonly #workers = new Set<RunningWorker>();
  #closed: Promise<void> | undefined;

  constructor({ windlass, actor, warnings }: { windlass: Windlass; actor: Actor; warnings: readonly string[] }) {
    this.actor = actor;
    this.capabilities = windlass.backend.capabilities;
    this.warnings = warnings;
    this.#parts = { windlass, actor, closing: this.#closing.signal };
    this.embedded = windlass.embedded === undefined ? undefined : this.#embedded(windlass.embedded);
  }

  async submit(type: Type, input: unknown, options: SubmitOptions = {}): Promise<SubmittedJob> {
    const [job] = await submitJobs(this.#open("submit"), [{ type, input, options }]);
    if (job === undefined) throw new AppError("INTERNAL", "the backend accepted nothing");
    return job;
  }

  async submitMany(requests: readonly SubmitRequest<Type>[]): Promise<readonly SubmittedJob[]> {
    return submitJobs(this.#open("submitMany"), requests);
  }

  async runAndWait(type: Type, input: unknown, options: RunOptions = {}): Promise<unknown> {
    return runAndWait(this.#open("runAndWait"), type, input, options);
  }

  async wait(jobId: string, options: WaitOptions = {}): Promise<JobStatus> {
    return jobStatus(await waitForJob(await this.#openToRead("wait", "jobs.wait"), jobId, options));
  }

  async schedule(type: Type, input: unknown, times: FutureTime | CronTimes): ReturnType<typeof schedule> {
    return schedule(this.#open("schedule"), type, input, times);
  }

  async scheduled(): Promise<readonly ScheduledItem[]> {
    return listScheduled((await this.#openToRead("scheduled", "schedules.list")).windlass.backend);
  }

  async cancel(idOrScheduleName: string): Promise<Cancelled> {
    return cancelNamed(this.#open("cancel"), idOrScheduleName);
  }

  async status(jobId: string): Promise<JobStatus | undefined> {
    const { windlass } = await this.#openToRead("status", "jobs.status");
    const stored = await windlass.backend.status(jobId);
    return stored === undefined ? undefined : jobStatus(stored);
  }

  async list(filter: ListFilter = {}): Promise<JobPage> {
    return listJobs(await this.#openToRead("list", "jobs.list"), filter);
  }

  async emit(event: string, payload: unknown, options: EmitOptions = {}): Promise<EmittedEvent> {
    return emitEvent(this.#open("emit"), { event, payload, options });
  }

  async approvals(): Promise<never> {
    this.#open("approvals");
    throw new AppError("UNSUPPORTED", "approvals: this version has no approvals yet; no job can wait for one");
  }

  async startWorker(options: StartWorkerOptions = {}): Promise<RunningWorker> {
    const worker = await startWorker(this.#open("startWorker"), options);
    if (this.#closed !== undefined) {
      await worker.stop({ grace: 0 });
      throw closedError("startWorker");
    }
    this.#workers.add(worker);
    void worker.stopped.then(() => this.#workers.delete(worker));
    return worker;
  }

  async close({ grace }: { readonly grace?: Duration } = {}): Promise<void> {
    const graceMs = readGrace(grace);
    this.#closed ??= this.#close(graceMs);
    // A second call may be in more of a hurry than the first.
    if (graceMs !== undefined) void this.#stopWorkers(graceMs);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number | undefined): Promise<void> {
    this.#closing.abort(closedError("a wait"));
    await this.#stopWorkers(graceMs);
    await this.#parts.windlass[Symbol.asyncDispose]();
  }

  async #stopWorkers(graceMs: number | undefined): Promise<void> {
    const options = graceMs === undefined ? {} : { grace: graceMs };
    await Promise.all([...this.#workers].map((worker) => worker.stop(options)));
  }

  #open(call: string): ClientParts {
    if (this.#closed !== undefined) throw closedError(call);
    return this.#parts;
  }

  async #openToRead(call: string, operation: string): Promise<ClientParts> {
    const parts = this.#open(call);
    await askPolicy(parts, operation, "read");
    return parts;
  }

  #embedded(backend: EmbeddedBackend): EmbeddedClient {
    return {
      path: this.#parts.windlass.config.database.path,
      enqueueWith: async (action) => enqueueWith(this.#open("enqueueWith"), backend, action),
    };
  }
}

function closedError(call: string): AppError {
  return new AppError("CLIENT_CLOSED", `${call}: this client was closed; open a new one with openWindlass`);
}
