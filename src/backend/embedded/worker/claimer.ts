import type { Clock } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import type { Writer } from "../../../database/writer.ts";
import { type ClaimRequest, claimOne, claimReady, hasSuspects, PROBATION_MS } from "../attempts/claim-ready.ts";
import { claimWoken } from "../attempts/claim-woken.ts";
import type { Claim } from "../lease/claim.ts";
import type { Epochs } from "../lease/epochs.ts";
import { type Interned, labelsCover } from "../rows/intern.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";

/** What claiming stands on. */
export interface ClaimerParts {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly clock: Clock;
  readonly interned: Interned;
  readonly epochs: Epochs;
  readonly workerId: number;
  readonly types: ReadonlySet<string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly leaseMs: number;
  /** True when this worker may have parked code that goes on. */
  readonly hasParked: () => boolean;
  /** Slots that are free at this moment. */
  readonly free: () => number;
  readonly onClaims: (claims: readonly Claim[]) => void;
  readonly onError: (error: unknown) => void;
}

/** Takes jobs for one worker: one claim at a time is under way, however often it is asked to look. */
export class Claimer {
  readonly #parts: ClaimerParts;
  #busy = false;
  #again = false;
  #rotation = 0;
  #first = true;
  #stopped = false;
  #claimedAtMono = Number.NEGATIVE_INFINITY;
  #suspect: { readonly job: JobNumber; readonly untilMono: number } | undefined;
  readonly #wanted = new Set<JobNumber>();
  #served: { readonly newest: number; readonly ids: readonly number[] } = { newest: 0, ids: [] };

  constructor(parts: ClaimerParts) {
    this.#parts = parts;
  }

  /** From now on nothing is claimed. */
  stop(): void {
    this.#stopped = true;
  }

  /** This worker should run this job as soon as it is ready, whether or not it claims others. */
  want(job: JobNumber): void {
    this.#wanted.add(job);
  }

  /** An attempt's end is recorded: its probation is over, and one that ended for good is wanted no more. */
  ended(job: JobNumber, final: boolean): void {
    if (this.#suspect?.job === job) this.#suspect = undefined;
    if (final) this.#wanted.delete(job);
  }

  /** Looks for work, now or after the claim that is under way. */
  look(claimsAll: boolean): void {
    if (this.#stopped || this.#parts.free() <= 0) return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#round(claimsAll)
      .catch(this.#parts.onError)
      .finally(() => {
        this.#busy = false;
        if (!this.#again) return;
        this.#again = false;
        this.look(claimsAll);
      });
  }

  async #round(claimsAll: boolean): Promise<void> {
    if (this.#parts.hasParked()) await this.#claimWoken();
    if (this.#wanted.size > 0) await this.#claimWanted();
    if (!claimsAll) return;
    const queues = this.#queues();
    if (queues.length === 0) return;
    // Before fresh work, or a long queue would keep them waiting for ever.
    if (hasSuspects(this.#parts.db, queues)) {
      if (this.#suspectMayStart()) await this.#claim(queues, "probation", true);
      await this.#claim(queues, "suspect", true);
    }
    // The first jobs after a start must be on disk too: what brings the machine down at once is counted.
    const fresh = await this.#claim(queues, "fresh", this.#first);
    if (fresh === 0) return;
    this.#first = false;
    if (this.#parts.free() > 0) this.#again = true;
  }

  async #claim(queues: readonly number[], kind: ClaimRequest["kind"], durable: boolean): Promise<number> {
    const { writer, interned, epochs, workerId, free, onClaims, clock } = this.#parts;
    const claims = await writer.mutate(
      (tx) => {
        const limit = this.#stopped ? 0 : free();
        if (limit <= 0) return [];
        this.#renewAfterStall(tx.db);
        return claimReady(tx, interned, epochs, { worker: workerId, queues, limit, kind });
      },
      { durable },
    );
    const suspect = kind === "probation" ? claims[0] : undefined;
    if (suspect !== undefined) this.#suspect = { job: suspect.entry.job, untilMono: clock.monotonic() + PROBATION_MS };
    onClaims(claims);
    return claims.length;
  }

  /** Who was stopped for longer than its lease would claim under one that has expired already, and lose it at once. */
  #renewAfterStall(db: Connection): void {
    const { clock, leaseMs, workerId } = this.#parts;
    const now = clock.monotonic();
    if (now - this.#claimedAtMono > leaseMs / 3)
      db.run("UPDATE worker SET beat_mono = max(beat_mono, ?) WHERE id = ?", now, workerId);
    this.#claimedAtMono = now;
  }

  /** Before all others: who parked a run is preferred for a moment only. */
  async #claimWoken(): Promise<void> {
    const { db, writer, interned, epochs, workerId: worker, free, onClaims } = this.#parts;
    if (db.get("SELECT 1 FROM waiting WHERE woken IS NOT NULL AND worker = ? LIMIT 1", worker) === undefined) return;
    const claims = await writer.mutate(
      (tx) => {
        const limit = this.#stopped ? 0 : free();
        return limit <= 0 ? [] : claimWoken(tx, interned, epochs, { worker, limit });
      },
      { durable: false },
    );
    onClaims(claims);
  }

  async #claimWanted(): Promise<void> {
    const { writer, interned, epochs, workerId, onClaims } = this.#parts;
    for (const number of [...this.#wanted]) {
      const claims = await writer.mutate((tx) => {
        const job = readJob(tx.db, number);
        return job === undefined || this.#stopped ? [] : claimOne(tx, interned, epochs, workerId, job);
      });
      onClaims(claims);
    }
  }

  #suspectMayStart(): boolean {
    return this.#suspect === undefined || this.#parts.clock.monotonic() > this.#suspect.untilMono;
  }

  /** The queues that this worker may serve, another one first each time, so that no type starves another. */
  #queues(): number[] {
    const { db, interned, types, labels } = this.#parts;
    const newest = db.get<{ id: number | null }>("SELECT max(id) AS id FROM queue")?.id ?? 0;
    if (newest !== this.#served.newest) {
      const queues = db.all<{ id: number }>("SELECT id FROM queue").map(({ id }) => interned.queue(db, id));
      this.#served = {
        newest,
        ids: queues
          .filter(({ type, requires }) => types.has(type) && labelsCover(labels, requires))
          .map(({ id }) => id),
      };
    }
    const served = this.#served.ids;
    this.#rotation = served.length === 0 ? 0 : (this.#rotation + 1) % served.length;
    return [...served.slice(this.#rotation), ...served.slice(0, this.#rotation)];
  }
}
