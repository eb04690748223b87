import { z } from "zod";
import type { Effect } from "../../attempt/handlers.ts";
import type { LogMark } from "../../host/aloha/log-follower.ts";

const Facts = z.object({
  log: z.object({ offset: z.int().min(0), anchor: z.base64() }).nullable(),
  posted_at_ms: z.int(),
});

/** A run as it is recorded before it is asked for. */
export interface AlohaEffect {
  /** Where the client's log stood; `undefined` when it could not be read. */
  readonly mark: LogMark | undefined;
  readonly postedAtMs: number;
}

/** The facts of an effect, as they are stored. */
export function writeAlohaEffect({ mark, postedAtMs }: AlohaEffect): z.input<typeof Facts> {
  const log = mark && { offset: mark.offset, anchor: Buffer.from(mark.anchor).toString("base64") };
  return { log: log ?? null, posted_at_ms: postedAtMs };
}

/** Reads them back; `undefined` when they are not ours. */
export function readAlohaEffect({ facts }: Effect): AlohaEffect | undefined {
  const { data } = Facts.safeParse(facts);
  if (data === undefined) return undefined;
  const { log, posted_at_ms: postedAtMs } = data;
  const mark = log === null ? undefined : { offset: log.offset, anchor: Buffer.from(log.anchor, "base64") };
  return { mark, postedAtMs };
}
