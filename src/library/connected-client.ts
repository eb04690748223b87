import type { EmbeddedBackend } from "../backend/embedded/embedded.ts";
import type { Duration } from "../duration.ts";
import { AppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import type { SubmitOptions } from "../job/options.ts";
import type { Actor } from "../policy/actor.ts";
import type { Windlass } from "../windlass.ts";
import type { ApprovalsClient } from "./approvals.ts";
import { giveDecision, listApprovals, showApproval, writeStatement } from "./approvals-client.ts";
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
  readonly approvals: ApprovalsClient;
  readonly #parts: ClientParts;
  readonly #closing = new AbortController();
  readonly #workers = new Set<RunningWorker>();
  readonly #calls = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor({ windlass, actor, warnings }: { windlass: Windlass; actor: Actor; warnings: readonly string[] }) {
    this.actor = actor;
    this.capabilities = windlass.backend.capabilities;
    this.warnings = warnings;
    this.#parts = { windlass, actor, closing: this.#closing.signal };
    this.embedded = windlass.embedded === undefined ? undefined : this.#embedded(windlass.embedded);
    this.approvals = this.#approvals();
  }

  async submit(type: Type, input: unknown, options: SubmitOptions = {}): Promise<SubmittedJob> {
    const [job] = await this.#during("submit", (parts) => submitJobs(parts, [{ type, input, options }]));
    if (job === undefined) throw new AppError("INTERNAL", "the backend accepted nothing");
    return job;
  }

  async submitMany(requests: readonly SubmitRequest<Type>[]): Promise<readonly SubmittedJob[]> {
    return this.#during("submitMany", (parts) => submitJobs(parts, requests));
  }

  async runAndWait(type: Type, input: unknown, options: RunOptions = {}): Promise<unknown> {
    return this.#during("runAndWait", (parts) => runAndWait(parts, type, input, options));
  }

  async wait(jobId: string, options: WaitOptions = {}): Promise<JobStatus> {
    return this.#reading("wait", "jobs.wait", async (parts) => jobStatus(await waitForJob(parts, jobId, options)));
  }

  async schedule(type: Type, input: unknown, times: FutureTime | CronTimes): ReturnType<typeof schedule> {
    return this.#during("schedule", (parts) => schedule(parts, type, input, times));
  }

  async scheduled(): Promise<readonly ScheduledItem[]> {
    return this.#reading("scheduled", "schedules.list", ({ windlass }) => listScheduled(windlass.backend));
  }

  async cancel(idOrScheduleName: string): Promise<Cancelled> {
    return this.#during("cancel", (parts) => cancelNamed(parts, idOrScheduleName));
  }

  async status(jobId: string): Promise<JobStatus | undefined> {
    return this.#reading("status", "jobs.status", async ({ windlass }) => {
      const stored = await windlass.backend.status(jobId);
      return stored === undefined ? undefined : jobStatus(stored);
    });
  }

  async list(filter: ListFilter = {}): Promise<JobPage> {
    return this.#reading("list", "jobs.list", (parts) => listJobs(parts, filter));
  }

  async emit(event: string, payload: unknown, options: EmitOptions = {}): Promise<EmittedEvent> {
    return this.#during("emit", (parts) => emitEvent(parts, { event, payload, options }));
  }

  async startWorker(options: StartWorkerOptions = {}): Promise<RunningWorker> {
    return this.#during("startWorker", async (parts) => {
      const worker = await startWorker(parts, options);
      if (this.#closed !== undefined) {
        await worker.stop({ grace: 0 });
        throw closedError("startWorker");
      }
      this.#workers.add(worker);
      void worker.stopped.then(() => this.#workers.delete(worker));
      return worker;
    });
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
    await Promise.all([this.#stopWorkers(graceMs), Promise.allSettled(this.#calls)]);
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

  /** Makes a call. `close` waits for it, so that it ends as it would have and not on a connection that is gone. */
  async #during<R>(call: string, act: (parts: ClientParts) => Promise<R>): Promise<R> {
    const running = act(this.#open(call));
    this.#calls.add(running);
    try {
      return await running;
    } finally {
      this.#calls.delete(running);
    }
  }

  /** Makes a call that changes nothing, when the policy lets the actor read. */
  #reading<R>(call: string, operation: string, act: (parts: ClientParts) => Promise<R>): Promise<R> {
    return this.#during(call, async (parts) => {
      await askPolicy(parts, operation, "read");
      return act(parts);
    });
  }

  #approvals(): ApprovalsClient {
    return {
      list: (filter = {}) => this.#reading("approvals.list", "approvals.list", (parts) => listApprovals(parts, filter)),
      show: (approvalId) =>
        this.#reading("approvals.show", "approvals.show", (parts) => showApproval(parts, approvalId)),
      statement: (approvalId, saying) =>
        this.#during("approvals.statement", (parts) => writeStatement(parts, approvalId, saying)),
      decide: (approvalId, saying) =>
        this.#during("approvals.decide", (parts) => giveDecision(parts, approvalId, saying)),
    };
  }

  #embedded(backend: EmbeddedBackend): EmbeddedClient {
    return {
      path: this.#parts.windlass.config.database.path,
      enqueueWith: (action) => this.#during("enqueueWith", (parts) => enqueueWith(parts, backend, action)),
    };
  }
}

function closedError(call: string): AppError {
  return new AppError("CLIENT_CLOSED", `${call}: this client was closed; open a new one with openWindlass`);
}
