import { z } from "zod";
import type { Effect } from "../../attempt/handlers.ts";
import type { ProgramId } from "../../host/local/program.ts";

/** A program as it is recorded before it runs. */
export interface ExecEffect extends ProgramId {
  /** Unix time in milliseconds. */
  readonly startedAtMs: number;
}

const Facts = z.object({
  pid: z.int().min(1),
  start_time: z.string().min(1),
  nonce: z.string().min(1),
  started_at_ms: z.int(),
});

/** The facts of an effect, as they are stored. */
export function writeExecEffect({ pid, startTime, nonce, startedAtMs }: ExecEffect): z.input<typeof Facts> {
  return { pid, start_time: startTime, nonce, started_at_ms: startedAtMs };
}

/** Reads them back; `undefined` when they are not ours. */
export function readExecEffect({ facts }: Effect): ExecEffect | undefined {
  const { data } = Facts.safeParse(facts);
  if (data === undefined) return undefined;
  return { pid: data.pid, startTime: data.start_time, nonce: data.nonce, startedAtMs: data.started_at_ms };
}
