/** How patient a breaker is. */
export interface BreakerLimits {
  /** Failures in a row that open it. */
  readonly threshold: number;
  /** How long it stays open before one probe is made. */
  readonly openForMs: number;
  /** The longest time that it stays open while it flaps. */
  readonly openMaxMs: number;
  /** Openings and repairs are counted in this span of time. */
  readonly windowMs: number;
  /** More openings than this in the window are flapping. */
  readonly opensMax: number;
  /** Repairs in the window. */
  readonly repairsMax: number;
  /** Good probes in a row that prove a repair. */
  readonly goodProbes: number;
}

/** What is remembered of one check of one host. Times are Unix milliseconds, because they outlive the process. */
export interface BreakerState {
  /** In a row. */
  readonly failures: number;
  /** Until when it is left alone; `undefined`: closed. */
  readonly openUntilMs: number | undefined;
  /** When it opened after it had been closed. That it stays open is no flapping and is not counted. */
  readonly opens: readonly number[];
  readonly repairs: readonly number[];
  /** Good probes that a repair still needs to be proved; 0: there is nothing to prove. */
  readonly unproven: number;
}

/** Nothing has happened yet. */
export const FRESH: BreakerState = { failures: 0, openUntilMs: undefined, opens: [], repairs: [], unproven: 0 };

/** What may be done now. */
export type Turn =
  | { readonly kind: "probe" }
  /** The one probe after the time that it was open. */
  | { readonly kind: "trial" }
  | { readonly kind: "wait"; readonly untilMs: number };

/** What a probe changed. */
export interface Probed {
  readonly state: BreakerState;
  /** It proved a repair. */
  readonly remediated: boolean;
}

/** Up to this part of a flapping breaker's time is added, so that many of them do not come back at once. */
const JITTER = 0.25;

/**
 * Says whether a check may be probed.
 *
 * A time further ahead than any breaker waits was written under a clock that has been set back since: it counts as past.
 */
export function decideTurn({ openUntilMs }: BreakerState, nowMs: number, limits: BreakerLimits): Turn {
  if (openUntilMs === undefined) return { kind: "probe" };
  const isAhead = openUntilMs > nowMs && openUntilMs - nowMs <= longestMs(limits);
  return isAhead ? { kind: "wait", untilMs: openUntilMs } : { kind: "trial" };
}

/** To be kept before the one probe is made: a supervisor that dies in it has had it. */
export function beginTrial(state: BreakerState, nowMs: number, limits: BreakerLimits): BreakerState {
  return { ...state, openUntilMs: nowMs + limits.openForMs };
}

/** A good probe closes the breaker; a repair is proved by several in a row. */
export function afterGood(state: BreakerState, nowMs: number, limits: BreakerLimits): Probed {
  const unproven = Math.min(state.unproven, limits.goodProbes);
  return {
    state: {
      ...forget(state, nowMs, limits),
      failures: 0,
      openUntilMs: undefined,
      unproven: Math.max(0, unproven - 1),
    },
    remediated: unproven === 1,
  };
}

/** @param random from 0 up to 1; it spreads the breakers that flap. */
export function afterBad(
  before: BreakerState,
  { nowMs, random, limits }: { readonly nowMs: number; readonly random: number; readonly limits: BreakerLimits },
): BreakerState {
  const state = forget(before, nowMs, limits);
  const failures = state.failures + 1;
  // What a repair had proved so far is void; it may still turn out to have helped.
  const unproven = state.unproven > 0 ? limits.goodProbes : 0;
  const wasOpen = state.openUntilMs !== undefined;
  if (!wasOpen && failures < limits.threshold) return { ...state, failures, unproven };
  const opens = wasOpen ? state.opens : [...state.opens, nowMs];
  return { ...state, failures, unproven, opens, openUntilMs: nowMs + coolDownMs(opens.length, random, limits) };
}

/** It keeps going up and down: repairs do not help, and are not made. */
export function isFlapping(state: BreakerState, nowMs: number, limits: BreakerLimits): boolean {
  return inWindow(state.opens, nowMs, limits).length > limits.opensMax;
}

/** Why a failure is not answered with a repair. */
export type NoRepair = "flapping" | "limit" | "open";

/**
 * Decides whether a repair follows a failed probe. The failure that opens the breaker is not answered, because the repairs
 * before it did not help; one that failed after the time that it was open is, because something may have changed.
 *
 * @param before as it was when the probe was made; `state` as {@link afterBad} left it.
 */
export function decideRepair(
  { before, state }: { readonly before: BreakerState; readonly state: BreakerState },
  nowMs: number,
  limits: BreakerLimits,
): "repair" | NoRepair {
  if (isFlapping(state, nowMs, limits)) return "flapping";
  const hasJustOpened = before.openUntilMs === undefined && state.openUntilMs !== undefined;
  if (hasJustOpened && state.failures > 1) return "open";
  return inWindow(state.repairs, nowMs, limits).length < limits.repairsMax ? "repair" : "limit";
}

/** To be kept before a repair is made: a supervisor that dies in it has made it. */
export function beginRepair(state: BreakerState, nowMs: number): BreakerState {
  return { ...state, repairs: [...state.repairs, nowMs] };
}

/** A repair did something, and has to be proved. */
export function afterRepair(state: BreakerState, limits: BreakerLimits): BreakerState {
  return { ...state, unproven: limits.goodProbes };
}

function longestMs({ openForMs, openMaxMs }: BreakerLimits): number {
  return Math.max(openForMs, openMaxMs);
}

/** Twice as long for every opening too many. */
function coolDownMs(opens: number, random: number, limits: BreakerLimits): number {
  const excess = opens - limits.opensMax;
  if (excess <= 0) return limits.openForMs;
  const wantedMs = limits.openForMs * 2 ** excess * (1 + JITTER * random);
  return Math.floor(Math.min(longestMs(limits), wantedMs));
}

function forget(state: BreakerState, nowMs: number, limits: BreakerLimits): BreakerState {
  return {
    ...state,
    opens: inWindow(state.opens, nowMs, limits),
    repairs: inWindow(state.repairs, nowMs, limits),
  };
}

/** What lies ahead was written under another clock. */
function inWindow(times: readonly number[], nowMs: number, { windowMs }: BreakerLimits): readonly number[] {
  return times.filter((ms) => ms <= nowMs && ms > nowMs - windowMs);
}
