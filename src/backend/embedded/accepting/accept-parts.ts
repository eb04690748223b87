import type { JobLimits } from "../../../job/limits.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobNumbers } from "../rows/job-number.ts";

/** What accepting needs beside the transaction. */
export interface AcceptParts {
  readonly numbers: JobNumbers;
  readonly interned: Interned;
  readonly limits: JobLimits;
}
