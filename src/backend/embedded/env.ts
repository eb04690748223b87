import type { AfterCrash } from "../../job/rules.ts";
import type { JobRules, JobSpec, KeyNeed } from "../../job/spec.ts";
import type { Acceptance } from "../backend.ts";
import type { JobNumber } from "./job-number.ts";

/** A value that stands in a file below the artifact root because it is too large for the database. */
export interface ValueReference {
  readonly root: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * What belongs to one job and to no other, as one JSON text (`job.env`). What has its default is left out. Times in Unix
 * milliseconds. The names are short because there may be millions of them.
 */
export interface JobEnv {
  readonly input?: unknown;
  readonly input_at?: ValueReference;
  readonly trace?: string;
  readonly after_crash?: AfterCrash;
  readonly retry_exit?: true;
  readonly priority?: 1 | 3;
  readonly timeout_ms?: number;
  readonly retries?: number;
  readonly keys?: readonly KeyNeed[];
  readonly rate_key?: string;
  readonly deadline?: number;
  /** How long after its start over or its submission a run's deadline is. */
  readonly deadline_ms?: number;
  readonly expires?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly parent?: JobNumber;
  readonly root?: JobNumber;
  readonly idempotency_key?: string;
  readonly schedule?: string;
  /** The slot of that schedule, and how many missed ones the job stands for. */
  readonly slot?: number;
  readonly missed?: number;
  readonly secrets?: readonly string[];
  /** Of a durable job: the newest event when its run began. */
  readonly since?: number;
  /** Its parent waits for it. */
  readonly awaited?: true;
  /** It goes on when its parent is cancelled. */
  readonly detached?: true;
  /** The run that the present one continues, where there is one. */
  readonly first_run?: number;
  /** Leave was asked for before it ran. */
  readonly approval?: true;
  /** What it was asked for as, where that is not `jobs.enqueue`. */
  readonly operation?: string;
  /** What the policy said when it was submitted. */
  readonly verdict?: Acceptance["verdict"];
}

/** What the backend adds to a spec when it stores it. */
export interface EnvExtras {
  readonly deadline?: number;
  readonly expires?: number;
  readonly parent?: JobNumber;
  readonly root?: JobNumber;
  readonly slot?: { readonly schedule: string; readonly instantMs: number; readonly missed: number };
  readonly inputAt?: ValueReference;
  readonly since?: number;
  readonly approval?: true;
  readonly operation?: string;
  readonly verdict?: Acceptance["verdict"];
}

/** Writes a job's env; the input is text already and is not parsed again. */
export function writeEnv(spec: JobSpec, extras: EnvExtras): string {
  const rest: JobEnv = {
    ...(spec.traceId === undefined ? {} : { trace: spec.traceId }),
    ...(spec.afterCrash === "rerun" ? {} : { after_crash: spec.afterCrash }),
    ...(spec.retryOnExit ? { retry_exit: true as const } : {}),
    ...(spec.priority === 2 ? {} : { priority: spec.priority }),
    ...(spec.timeoutMs === undefined ? {} : { timeout_ms: spec.timeoutMs }),
    ...(spec.retries === undefined ? {} : { retries: spec.retries }),
    ...(spec.keys.length === 0 ? {} : { keys: spec.keys }),
    ...(spec.rateKey === undefined ? {} : { rate_key: spec.rateKey }),
    ...(spec.idempotency === undefined ? {} : { idempotency_key: spec.idempotency.key }),
    ...(spec.secrets.length === 0 ? {} : { secrets: spec.secrets }),
    ...(hasPairs(spec.metadata) ? { metadata: spec.metadata } : {}),
    ...(extras.deadline === undefined ? {} : { deadline: extras.deadline }),
    ...(spec.deadlineInMs === undefined ? {} : { deadline_ms: spec.deadlineInMs }),
    ...(extras.expires === undefined ? {} : { expires: extras.expires }),
    ...(extras.parent === undefined ? {} : { parent: extras.parent }),
    ...(extras.root === undefined ? {} : { root: extras.root }),
    ...slotPart(extras.slot),
    ...(extras.since === undefined ? {} : { since: extras.since }),
    ...(spec.parent?.awaited ? { awaited: true as const } : {}),
    ...(spec.parent?.detached ? { detached: true as const } : {}),
    ...(extras.approval === undefined ? {} : { approval: extras.approval }),
    ...(extras.operation === undefined ? {} : { operation: extras.operation }),
    ...(extras.verdict === undefined ? {} : { verdict: extras.verdict }),
    ...(extras.inputAt === undefined ? {} : { input_at: extras.inputAt }),
  };
  const text = JSON.stringify(rest);
  if (extras.inputAt !== undefined) return text;
  return text === "{}" ? `{"input":${spec.inputJson}}` : `{"input":${spec.inputJson},${text.slice(1)}`;
}

function slotPart(slot: EnvExtras["slot"]): Pick<JobEnv, "schedule" | "slot" | "missed"> {
  if (slot === undefined) return {};
  const { schedule, instantMs, missed } = slot;
  return { schedule, slot: instantMs, ...(missed === 0 ? {} : { missed }) };
}

/** The rules that hold for one job: those of its type, with what its call asked for. */
export function effectiveRules(rules: JobRules, env: JobEnv): JobRules {
  if (env.timeout_ms === undefined && env.retries === undefined) return rules;
  return { ...rules, timeoutMs: env.timeout_ms ?? rules.timeoutMs, retries: env.retries ?? rules.retries };
}

function hasPairs(pairs: Readonly<Record<string, string>>): boolean {
  for (const _ in pairs) return true;
  return false;
}
