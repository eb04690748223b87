import type { Transaction } from "../../../database/writer.ts";
import { decideRate, type RateDecision, type RateState } from "../../../job/rate.ts";
import type { Notice } from "../rows/notice.ts";

/** Takes a unit from a bucket, or the next free turn where there is none; stores what became of the bucket. */
export function takeUnit(
  tx: Transaction<Notice>,
  key: string,
  rule: { readonly units: number; readonly perMs: number },
): RateDecision {
  const known = tx.db.get<RateState>("SELECT base AS baseMs, used, horizon AS horizonMs FROM rate WHERE key = ?", key);
  const decision = decideRate(known, rule, tx.nowMs);
  const { baseMs, used, horizonMs } = decision.state;
  tx.db.run(
    "INSERT INTO rate (key, base, used, horizon) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET base = excluded.base, used = excluded.used, horizon = excluded.horizon",
    key,
    baseMs,
    used,
    horizonMs,
  );
  return decision;
}
