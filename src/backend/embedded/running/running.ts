import type { AttemptControl } from "../../../attempt/control.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { ServedType } from "../../serving.ts";
import type { Claim } from "../lease/claim.ts";
import type { LeasedJob } from "../rows/entry.ts";
import type { JobNumber } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";
import type { TimeLimit } from "./time-limit.ts";

/** One attempt that runs in this process, or whose end is being recorded. */
export interface Running {
  readonly claim: Claim;
  readonly served: ServedType;
  readonly control: AttemptControl;
  readonly jobId: string;
  readonly traceId: string;
  readonly startedMono: number;
  readonly timeLimit: TimeLimit;
}

/** The lease of an attempt, as far as it is others' too. */
export interface SharedLease {
  /** Its other jobs that have not left it. */
  readonly others: (tx: Transaction<Notice>) => readonly LeasedJob[];
  /** This one has left it: said last in a mutation. */
  readonly left: (tx: Transaction<Notice>) => void;
}

/**
 * What a worker runs, by job and by lease. One job may run twice: a worker that lost a lease in a stall may claim its job
 * again while the late attempt has not stopped yet.
 */
export class RunningSet {
  /** The newest attempt of each job. */
  readonly #byJob = new Map<JobNumber, Running>();
  readonly #leases = new Map<number, Map<JobNumber, Running>>();
  #size = 0;
  /** Jobs whose ends are written in the transaction that is being made; it may yet be undone. */
  #ending: { tx: Transaction<Notice>; readonly jobs: Set<JobNumber> } | undefined;

  get size(): number {
    return this.#size;
  }

  get(job: JobNumber): Running | undefined {
    return this.#byJob.get(job);
  }

  all(): Running[] {
    return [...this.#leases.values()].flatMap((lease) => [...lease.values()]);
  }

  add(running: Running): void {
    const { epoch, entry } = running.claim;
    this.#byJob.set(entry.job, running);
    let lease = this.#leases.get(epoch);
    if (lease === undefined) {
      lease = new Map();
      this.#leases.set(epoch, lease);
    }
    lease.set(entry.job, running);
    this.#size++;
  }

  /** After the commit of its end, or when its lease was lost. */
  remove({ claim }: Running): void {
    if (this.#byJob.get(claim.entry.job)?.claim.epoch === claim.epoch) this.#byJob.delete(claim.entry.job);
    const lease = this.#leases.get(claim.epoch);
    if (lease?.delete(claim.entry.job)) this.#size--;
    if (lease?.size === 0) this.#leases.delete(claim.epoch);
  }

  /** The lease's other jobs that have not left it, neither in an earlier commit nor earlier in this one. */
  others(tx: Transaction<Notice>, { claim: { epoch, entry } }: Running): { count: number; list: () => LeasedJob[] } {
    const left = this.#leftIn(tx);
    const lease = this.#leases.get(epoch) ?? new Map<JobNumber, Running>();
    const list = (): LeasedJob[] =>
      [...lease.values()].map(leasedJob).filter(([job]) => job !== entry.job && !left.has(job));
    // Nearly always the whole batch goes on: counting is done only when it may be over.
    const atLeast = lease.size - left.size - 1;
    return { count: atLeast > 0 ? atLeast : list().length, list };
  }

  /**
   * It leaves its lease in this transaction. The last word of a mutation: what is undone after it would be taken to have
   * left, and its lease would go with the last of the others.
   */
  leaves(tx: Transaction<Notice>, { claim }: Running): void {
    this.#leftIn(tx).add(claim.entry.job);
  }

  /** What an attempt may know of the lease that it shares. */
  sharedLease(running: Running): SharedLease {
    return {
      others: (tx) => this.others(tx, running).list(),
      left: (tx) => this.leaves(tx, running),
    };
  }

  #leftIn(tx: Transaction<Notice>): Set<JobNumber> {
    if (this.#ending?.tx !== tx) this.#ending = { tx, jobs: new Set() };
    return this.#ending.jobs;
  }

  epochs(): IterableIterator<number> {
    return this.#leases.keys();
  }

  ofEpoch(epoch: number): Running[] {
    return [...(this.#leases.get(epoch)?.values() ?? [])];
  }
}

function leasedJob({ claim: { entry } }: Running): LeasedJob {
  return [entry.job, entry.run, entry.attempt, entry.failures, entry.crashes];
}
