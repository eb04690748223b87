/** The state of a token bucket. Unix milliseconds, fractions allowed. */
export interface RateState {
  /** Theoretical arrival time: when the bucket would be full again but for one more unit. */
  readonly tat: number;
  /** The last time that was given to a job which had to wait. */
  readonly horizon: number;
}

/** May it start now, or when should it ask again. */
export type RateDecision =
  | { readonly kind: "start"; readonly state: RateState }
  | { readonly kind: "wait"; readonly untilMs: number; readonly state: RateState };

/**
 * A token bucket of `units`, refilled evenly over `perMs`, written as the generic cell rate algorithm
 * (ITU-T I.371, annex A): one number instead of a count and a time. Jobs that must wait are spread over the coming free
 * moments, so that they do not all ask again at once.
 */
export function decideRate(
  state: RateState | undefined,
  rule: { readonly units: number; readonly perMs: number },
  nowMs: number,
): RateDecision {
  const intervalMs = rule.perMs / rule.units;
  const tat = Math.max(state?.tat ?? nowMs, nowMs);
  const freeAtMs = tat + intervalMs - rule.perMs;
  if (freeAtMs <= nowMs) return { kind: "start", state: { tat: tat + intervalMs, horizon: state?.horizon ?? 0 } };
  const untilMs = Math.max(freeAtMs, (state?.horizon ?? 0) > nowMs ? (state?.horizon ?? 0) + intervalMs : 0);
  return { kind: "wait", untilMs: Math.ceil(untilMs), state: { tat: state?.tat ?? tat, horizon: untilMs } };
}
