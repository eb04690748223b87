import type { MachineIdentity } from "../../../attempt/handlers.ts";
import type { Clock } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import type { LivenessLock } from "../../../database/liveness.ts";
import type { Writer } from "../../../database/writer.ts";
import type { JobLimits } from "../../../job/limits.ts";
import type { ServeOptions } from "../../serving.ts";
import type { Epochs } from "../lease/epochs.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobNumbers } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";

/** What configuration says about workers. Milliseconds and bytes. */
export interface WorkerLimits {
  readonly leaseMs: number;
  readonly tickMs: number;
  readonly killGraceMs: number;
  readonly keptBytes: number;
  /** How long attempts may finish when this worker must stop by itself. */
  readonly drainMs: number;
}

/** What an embedded worker is put together from. */
export interface WorkerParts {
  readonly id: number;
  readonly uuid: string;
  readonly lock: LivenessLock;
  /** The schema that this program writes. */
  readonly schema: number;
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly clock: Clock;
  readonly numbers: JobNumbers;
  readonly interned: Interned;
  readonly epochs: Epochs;
  readonly limits: JobLimits & WorkerLimits;
  readonly machine: MachineIdentity;
  readonly artifactRoot: string;
  readonly options: ServeOptions;
  /** Removes what is past retention; called once an hour. */
  readonly retain: () => Promise<void>;
}
