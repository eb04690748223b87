import type { Transaction, Writer } from "../../../database/writer.ts";
import type { JobLimits } from "../../../job/limits.ts";
import type { Acceptance, Accepted } from "../../acceptance.ts";
import { storeValue } from "../files/store-value.ts";
import type { Claim } from "../lease/claim.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobNumbers } from "../rows/job-number.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { accept } from "./accept.ts";
import { NewRows } from "./new-rows.ts";

/** What taking jobs in stands on. */
export interface AcceptorParts {
  readonly writer: Writer<Notice>;
  readonly numbers: JobNumbers;
  readonly interned: Interned;
  readonly limits: JobLimits;
  /** Where inputs go that are too long for a row. */
  readonly artifactRoot: string;
}

/** A worker that takes what it is free for in the commit that stores it. */
export interface ClaimingWorker {
  /** Claims a job if it has a slot for it. */
  claimInside(tx: Transaction<Notice>, job: Pick<JobRow, "id" | "queue" | "rank">): readonly Claim[];
  /** Runs them; after the commit. */
  take(claims: readonly Claim[]): void;
}

/** The one way in. */
export interface Acceptor {
  /** All or none of them, in one commit. @param worker claims what it is free for in the same commit. */
  acceptAll(acceptances: readonly Acceptance[], worker?: ClaimingWorker): Promise<readonly Accepted[]>;
  /** One, in a transaction of the caller's. */
  acceptOne(tx: Transaction<Notice>, acceptance: Acceptance): Accepted;
}

/** Makes what takes jobs in. */
export function acceptor(parts: AcceptorParts): Acceptor {
  const { writer, numbers, limits, artifactRoot } = parts;
  const { inlineBytes, valueBytes } = limits;
  const store = ({ spec }: Acceptance) => storeValue(artifactRoot, spec.inputJson, { inlineBytes, valueBytes });
  return {
    async acceptAll(acceptances, worker) {
      // Files are written before the transaction: nobody else waits for the disk.
      const values = acceptances.map(store);
      const bytes = acceptances.reduce((sum, { spec }, n) => sum + (values[n] ? 0 : spec.inputJson.length), 0);
      const claims: Claim[] = [];
      const takeAll = (tx: Transaction<Notice>): readonly Accepted[] => {
        // Anew each time that the mutation is run.
        claims.length = 0;
        // Who claims it at once looks for it at once.
        const rows = acceptances.length > 1 && worker === undefined ? new NewRows(tx) : undefined;
        const all = acceptances.map((acceptance, index) => {
          const taken = accept(tx, parts, acceptance, { inputAt: values[index], rows });
          const job = worker === undefined ? undefined : readJob(tx.db, numbers.numberOf(taken.jobId) ?? -1);
          if (worker !== undefined && job !== undefined) claims.push(...worker.claimInside(tx, job));
          return taken;
        });
        rows?.write();
        return all;
      };
      const accepted = await writer.mutate(takeAll, { bytes });
      worker?.take(claims);
      return accepted;
    },
    acceptOne: (tx, acceptance) => accept(tx, parts, acceptance, { inputAt: store(acceptance) }),
  };
}
