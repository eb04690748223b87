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
  readonly lease: RunningLease;
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

/** The attempts that run here under one lease. */
export interface RunningLease {
  readonly epoch: number;
  readonly running: Running[];
}

/**
 * What a worker runs, by lease. One job may run twice: a worker that lost a lease in a stall may claim its job again while the
 * late attempt has not stopped yet.
 *
 * No `Map` of what runs: see `DeadlineWheel`.
 */
export class RunningSet {
  readonly #leases: RunningLease[] = [];
  #size = 0;
  /** Jobs whose ends are written in the transaction that is being made; it may yet be undone. */
  #ending: { tx: Transaction<Notice>; readonly jobs: Set<JobNumber> } | undefined;

  get size(): number {
    return this.#size;
  }

  get leases(): readonly RunningLease[] {
    return this.#leases;
  }

  /** The newest attempt of a job. */
  get(job: JobNumber): Running | undefined {
    return this.all()
      .filter(({ claim }) => claim.entry.job === job)
      .sort((a, b) => a.lease.epoch - b.lease.epoch)
      .at(-1);
  }

  all(): Running[] {
    return this.#leases.flatMap(({ running }) => running);
  }

  /** The attempts under a lease, for one that is to be added. */
  leaseOf(epoch: number): RunningLease {
    return this.#leases.findLast((lease) => lease.epoch === epoch) ?? { epoch, running: [] };
  }

  add(running: Running): void {
    const { lease } = running;
    if (lease.running.length === 0) this.#leases.push(lease);
    lease.running.push(running);
    this.#size++;
  }

  /** After the commit of its end, or when its lease was lost. */
  remove(running: Running): void {
    const { lease } = running;
    if (!takeOut(lease.running, running)) return;
    this.#size--;
    if (lease.running.length === 0) takeOut(this.#leases, lease);
  }

  /** The lease's other jobs that have not left it, neither in an earlier commit nor earlier in this one. */
  others(tx: Transaction<Notice>, { claim, lease }: Running): { count: number; list: () => LeasedJob[] } {
    const left = this.#leftIn(tx);
    const { job: own } = claim.entry;
    const list = (): LeasedJob[] => lease.running.map(leasedJob).filter(([job]) => job !== own && !left.has(job));
    // Nearly always the whole batch goes on: counting is done only when it may be over.
    const atLeast = lease.running.length - left.size - 1;
    return { count: atLeast > 0 ? atLeast : list().length, list };
  }

  /**
   * It leaves its lease in this transaction. The last word of a mutation: what is undone after it would be taken to have
   * left, and its lease would go with the last of the others.
   */
  leaves(tx: Transaction<Notice>, { claim }: Running): void {
    this.#leftIn(tx).add(claim.entry.job);
  }

  /** The leases of which nothing is left when these have left them. */
  emptiedBy(tx: Transaction<Notice>, leaving: readonly Running[]): number[] {
    const left = this.#leftIn(tx);
    const gone = new Set(leaving);
    return [...new Set(leaving.map(({ lease }) => lease))]
      .filter(({ running }) => running.every((one) => gone.has(one) || left.has(one.claim.entry.job)))
      .map(({ epoch }) => epoch);
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
}

/** The order is nobody's: the last one takes its place. */
function takeOut<T>(items: T[], item: T): boolean {
  const at = items.indexOf(item);
  if (at === -1) return false;
  const last = items.pop();
  if (last !== undefined && last !== item) items[at] = last;
  return true;
}

function leasedJob({ claim: { entry } }: Running): LeasedJob {
  return [entry.job, entry.run, entry.attempt, entry.failures, entry.crashes];
}
