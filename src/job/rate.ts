/** The state of a token bucket. */
export interface RateState {
  /**
   * Unix milliseconds, whole. From then on `used` units were taken, each of which takes `perMs / units` to come back. The
   * two are kept apart so that nothing is rounded: fractions of milliseconds that add up would let too many start.
   */
  readonly baseMs: number;
  readonly used: number;
  /** The last time that was given to a job which had to wait. */
  readonly horizonMs: number;
}

/** May it start now, or when should it ask again. */
export type RateDecision =
  | { readonly kind: "start"; readonly state: RateState }
  | { readonly kind: "wait"; readonly untilMs: number; readonly state: RateState };

type Rule = { readonly units: number; readonly perMs: number };

/**
 * A token bucket of `units`, refilled evenly over `perMs`, written as the generic cell rate algorithm
 * (ITU-T I.371, annex A). Jobs that must wait are spread over the coming free moments, so that they do not all ask again
 * at once.
 */
export function decideRate(state: RateState | undefined, rule: Rule, nowMs: number): RateDecision {
  const { units, perMs } = rule;
  const { baseMs, used } = refill(state, rule, nowMs);
  const horizonMs = state?.horizonMs ?? 0;
  // Whole numbers below 2^53 on both sides.
  if ((used + 1) * perMs <= (nowMs - baseMs + perMs) * units)
    return { kind: "start", state: { baseMs, used: used + 1, horizonMs } };
  const freeAtMs = baseMs - perMs + ((used + 1) * perMs) / units;
  const turnMs = Math.max(freeAtMs, horizonMs > nowMs ? horizonMs + perMs / units : 0);
  return {
    kind: "wait",
    untilMs: Math.max(Math.ceil(turnMs), nowMs + 1),
    state: { baseMs, used, horizonMs: turnMs },
  };
}

/** The bucket now: full again when everything came back, and never emptier than empty, as after a clock that was set back. */
function refill(state: RateState | undefined, { units, perMs }: Rule, nowMs: number): { baseMs: number; used: number } {
  const full = { baseMs: nowMs, used: 0 };
  if (state === undefined) return full;
  const periods = Math.floor(state.used / units);
  const baseMs = state.baseMs + periods * perMs;
  const used = state.used - periods * units;
  const owedFor = (baseMs - nowMs) * units + used * perMs;
  if (owedFor <= 0) return full;
  return owedFor > perMs * units ? { baseMs: nowMs + perMs, used: 0 } : { baseMs, used };
}
