import type { ErrorRecord } from "../error.ts";
import type { Progress } from "../job/context.ts";
import type { TypeRules } from "../job/rules.ts";
import type { JobState, Outcome } from "../job/state.ts";
import type { Actor } from "../policy/actor.ts";

/** What is known of a job now. Times in Unix milliseconds. */
export interface JobStatus {
  readonly jobId: string;
  readonly type: string;
  readonly state: JobState;
  readonly outcome: Outcome | null;
  readonly runNumber: number;
  /** How often this run was started. */
  readonly attempt: number;
  readonly failures: number;
  readonly crashes: number;
  readonly traceId: string;
  readonly priority: 1 | 2 | 3;
  readonly actor: Actor;
  /** The job that made it. */
  readonly parentId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly queuedAtMs: number;
  /** When it is due; later than `queuedAtMs` for a delayed job and while a retry waits. */
  readonly dueAtMs: number;
  /** When the newest attempt started. */
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly cancelRequested: boolean;
  readonly progress: Progress | null;
  readonly result: unknown;
  readonly error: ErrorRecord | null;
  readonly input: unknown;
  /** Running time of one attempt. */
  readonly timeoutMs: number;
  /** Secrets that the input refers to, by name. */
  readonly secrets: readonly string[];
  /** Absolute path of the folder of the attempt that runs now, where this backend shares a disk with its workers. */
  readonly folder: string | null;
}

/** How to wait for a job. */
export interface SettledOptions {
  /** Default: without limit. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
  /** Default: it has ended. */
  readonly until?: (status: JobStatus) => boolean;
}

/** Which jobs to list, newest first; all conditions hold. */
export interface JobFilter {
  readonly state?: JobState;
  readonly type?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Queued at this time or later. */
  readonly sinceMs?: number;
  /** 1 to 1,000. */
  readonly limit: number;
  /** As an earlier page gave it. */
  readonly cursor?: string;
}

/** One line of a list. */
export interface JobSummary {
  readonly jobId: string;
  readonly type: string;
  readonly state: JobState;
  readonly outcome: Outcome | null;
  /** How often its newest run was started. */
  readonly attempt: number;
  readonly queuedAtMs: number;
  /** When it may start. */
  readonly dueAtMs: number;
  /** When the newest attempt started. */
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
}

/** What an open call of a durable job waits for. */
export type WaitKind = "sleep" | "event" | "child" | "approval";

/** What waits, and for what. Times in Unix milliseconds. */
export interface WaitingStats {
  readonly jobs: number;
  /** Since when the oldest of them waits. */
  readonly oldestMs: number | null;
  /** Open calls; a job may have several. */
  readonly waits: Readonly<Record<WaitKind, number>>;
  /** Waits whose time has come and that no worker has ended. */
  readonly overdue: number;
  /** Since when the first of those is due. */
  readonly overdueSinceMs: number | null;
  /** Events that are kept. */
  readonly events: number;
  /** Of those, events that some who waited for them do not have yet. */
  readonly eventsOpen: number;
  readonly oldestEventMs: number | null;
}

/** Counts by type and state, and how long the oldest due job has waited. */
export interface JobStats {
  readonly counts: readonly { readonly type: string; readonly state: JobState; readonly count: number }[];
  readonly oldestQueuedMs: number | null;
  readonly waiting: WaitingStats;
}

/** A job type as a worker published it. */
export interface PublishedType {
  readonly name: string;
  readonly version: string;
  readonly rules: TypeRules;
  /** JSON Schema (2020-12) of the input. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** A worker process as others see it. */
export interface WorkerInfo {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly types: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly startedAtMs: number;
  readonly alive: boolean;
}

/** What a job waits for. */
export interface Explanation {
  readonly state: JobState | "not_found";
  /** A word for each reason, such as `no_worker`, `key`, `rate`, `approval`, `future`, `retry`, `sleep`, `event`, `child`, `running`, `lost` (its worker died), `stalled`, `finished`. */
  readonly reason: string;
  /** One sentence that says it, and what to do where something can be done. */
  readonly sentence: string;
}
