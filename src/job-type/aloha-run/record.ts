import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EffectContext } from "../../attempt/handlers.ts";
import type { LogEvidence } from "../../host/aloha/model/log-evidence.ts";
import type { BegunRun, Preparation } from "./options.ts";

/** A log of a thousand steps is shorter; a page of the debugger in each of them is not. */
const LOG_BYTES_MAX = 16_777_216;

/** How a run ended, in words of the record. */
export interface RecordedEnd {
  readonly state: string;
  readonly reason?: string;
  /** After a stop: whether the run is over. */
  readonly remote_state?: "stopped" | "unknown";
  /** What told that the run is over. */
  readonly ended_by?: string;
}

/** Takes the pieces of the client's log into `aloha/log.txt`, up to a limit. */
export function keepLog(ctx: EffectContext): (bytes: Uint8Array) => void {
  const path = join(alohaFolder(ctx), "log.txt");
  let left = LOG_BYTES_MAX;
  // Emptied: an attempt that takes a run over reads its log from the start.
  writeFileSync(path, "", { mode: 0o600 });
  return (bytes) => {
    if (left <= 0) return;
    appendFileSync(path, bytes.subarray(0, left));
    left -= bytes.length;
    if (left <= 0) appendFileSync(path, "\n[cut here]\n");
  };
}

/** Writes `aloha/response.json`. */
export function keepRecord({ input, host, ctx, clock }: Preparation, run: BegunRun, end: RecordedEnd): void {
  const { evidence } = run.watch;
  const endedAtMs = clock.now();
  const text = JSON.stringify(
    {
      host: input.host,
      client: host.client.url,
      ...end,
      trace_id: input.trace_id ?? ctx.traceId,
      request: {
        task: input.task,
        max_steps: input.max_steps,
        selected_screen: input.selected_screen,
        demonstration: input.demonstration,
      },
      answer: run.answer ?? null,
      evidence: evidence === undefined ? null : writeEvidence(evidence, run.mark?.offset),
      times: { posted_at: time(run.postedAtMs), ended_at: time(endedAtMs), duration_ms: endedAtMs - run.postedAtMs },
    },
    null,
    2,
  );
  writeFileSync(join(alohaFolder(ctx), "response.json"), `${text}\n`, { mode: 0o600 });
}

function writeEvidence(evidence: LogEvidence, logOffset: number | undefined): Readonly<Record<string, unknown>> {
  return {
    started: evidence.started,
    finished: evidence.finished,
    steps: evidence.steps,
    failed_actions: evidence.failedActions,
    completion: evidence.completion,
    server_failure: evidence.serverFailure,
    crash: evidence.crash ?? null,
    stopped: evidence.stopped,
    overlapped: evidence.overlapped,
    client_restarted: evidence.restarted,
    log_offset: logOffset ?? null,
  };
}

function alohaFolder(ctx: EffectContext): string {
  const folder = join(ctx.folder, "aloha");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
