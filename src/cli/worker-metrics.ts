import { appendFileSync } from "node:fs";
import type { WorkerEvent } from "../backend/serving.ts";
import type { Submit } from "../backend/submit.ts";
import { formatPairs, formatTimestamp, type Logger } from "../logfmt.ts";
import type { Terminal } from "./terminal.ts";

/** Where and how often counters are written. */
export interface MetricsOptions {
  /** A file to append to; absent: standard output. */
  readonly path: string | undefined;
  readonly intervalMs: number;
  /** Standard output gets lines of JSON in the place of pairs. */
  readonly json: boolean;
  readonly terminal: Pick<Terminal, "out">;
  readonly submit: Pick<Submit, "jobsMade">;
  readonly log: Logger;
}

/** Counters of one worker process, from zero. */
export interface Metrics extends Disposable {
  count(event: WorkerEvent): void;
}

/** Ends of jobs that are counted, once a job. */
const ENDS = {
  completed: "jobs_completed_total",
  failed: "jobs_failed_total",
  cancelled: "jobs_cancelled_total",
} as const;
/** Types whose attempts are counted. */
const STARTS: Readonly<Record<string, string>> = {
  "playwright.run": "playwright_sessions_total",
  "aloha.run": "aloha_runs_total",
};

/** Writes the counters at once, at each interval, and a last time at the end. */
export function startMetrics({ path, intervalMs, json, terminal, submit, log }: MetricsOptions): Metrics {
  const format = json && path === undefined ? JSON.stringify : formatPairs;
  const counts = new Map<string, number>([...Object.values(ENDS), ...Object.values(STARTS)].map((name) => [name, 0]));
  const add = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  const write = (): void => {
    const ts = formatTimestamp(Date.now());
    const values = [["jobs_enqueued_total", submit.jobsMade] as const, ...counts];
    const text = values.map(([metric, value]) => `${format({ metric, value, ts })}\n`).join("");
    if (path === undefined) terminal.out(text);
    else append(path, text, log);
  };
  write();
  const timer = setInterval(write, intervalMs);
  timer.unref();
  return {
    count(event) {
      if (event.kind === "claimed") {
        const name = Object.hasOwn(STARTS, event.type) ? STARTS[event.type] : undefined;
        if (name !== undefined) add(name);
      } else if ((event.kind === "completed" || event.kind === "failed" || event.kind === "cancelled") && event.final) {
        add(ENDS[event.kind]);
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      write();
    },
  };
}

/** A worker does not end because its metrics cannot be written. */
function append(path: string, text: string, log: Logger): void {
  try {
    appendFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    log.warn("worker", "metrics cannot be written", { path, err: error });
  }
}
