import { AttemptFolder, attemptPath } from "../../artifact/attempt-folder.ts";
import { AttemptControl } from "../../attempt/control.ts";
import type { Edge } from "../../attempt/durable/turn.ts";
import type { AttemptServices } from "../../attempt/services.ts";
import { systemClock } from "../../clock.ts";
import { AppError } from "../../error.ts";
import type { JobType } from "../../job/definition.ts";
import type { RehearsalRecord } from "./rehearsal-record.ts";

/** Where a rehearsal plays. */
export interface Stage {
  readonly record: RehearsalRecord;
  /** A folder of its own. */
  readonly root: string;
  readonly jobId: string;
}

const MEBIBYTE = 2 ** 20;
/** No test waits for a back-off. */
const BACKOFF = { firstMs: 1, factor: 1, capMs: 1, jitter: 0 };
/** What every backend allows. */
const POSITIONS_MAX = 1_000;
const DAY_MS = 86_400_000;

/** What carries the code of one attempt of a rehearsed run. */
export function edgeOf(type: JobType, { record, root, jobId }: Stage, runNumber: number, attempt: number): Edge {
  const request: Edge["request"] = {
    jobId,
    type,
    handlers: { run: type.run as unknown as Edge["request"]["handlers"]["run"] },
    runNumber,
    attempt,
    traceId: jobId.replaceAll("-", ""),
    actor: "person:rehearsal",
    input: null,
    timeoutMs: DAY_MS,
    afterCrash: "rerun",
    retryOnExit: false,
    recover: false,
    crashes: 0,
    crashesMax: 0,
  };
  return {
    request,
    services: servicesAt(root),
    durable: { ...record.services(), backoff: BACKOFF, positionsMax: POSITIONS_MAX },
    control: new AttemptControl(),
    folder: new AttemptFolder(root, attemptPath(jobId, runNumber, 1), true),
  };
}

function servicesAt(artifactRoot: string): AttemptServices {
  return {
    clock: systemClock,
    machine: { host: "rehearsal", boot: "rehearsal", pidNamespace: "rehearsal" },
    artifactRoot,
    limits: {
      killGraceMs: 1_000,
      keptBytes: 1_024 * MEBIBYTE,
      inlineBytes: MEBIBYTE,
      valueBytes: 64 * MEBIBYTE,
      adoptWaitMs: 0,
    },
    secret: () => undefined,
    obtainLeave: () => undefined,
    outsideTimeout: (_, work) => work(),
    recordEffect: refuse,
    recordAdoption: refuse,
    progress: () => undefined,
    enqueue: refuse,
  };
}

/** Only plain jobs do that. */
async function refuse(): Promise<never> {
  throw new AppError("UNSUPPORTED", "a rehearsal has none of this");
}
