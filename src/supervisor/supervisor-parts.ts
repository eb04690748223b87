import type { Clock } from "../clock.ts";
import type { Component, RepairEnd, WatchedHost } from "./component.ts";
import type { BreakerLimits } from "./decide-breaker.ts";
import type { CheckReport } from "./report.ts";

/** What the supervisor tells while it works. */
export type SupervisorEvent =
  | {
      readonly kind: "probed";
      readonly host: string;
      readonly component: Component;
      readonly isGood: boolean;
      readonly detail: string;
      /** It was made to fail. */
      readonly isForced: boolean;
      readonly durationMs: number;
    }
  | ({
      readonly kind: "repaired";
      readonly host: string;
      readonly component: Component;
      readonly name: string;
    } & RepairEnd)
  | { readonly kind: "checked"; readonly host: string; readonly check: CheckReport }
  /** The supervisor itself has a difficulty and goes on. */
  | { readonly kind: "problem"; readonly host: string; readonly message: string };

/** What a pass stands on. */
export interface SupervisorParts {
  readonly clock: Clock;
  /** From 0 up to 1. */
  random(): number;
  readonly limits: BreakerLimits;
  /** How long a repair is given before the next look, where one pass has to say how it went. */
  readonly settleMs: number;
  /** One probe or one repair at most. */
  readonly stepLimitMs: number;
  /** Is made to fail. */
  readonly failpoint: Component | undefined;
  /** One pass has to come to an end: it repairs and looks again, instead of leaving that to the next pass. */
  readonly isOnce: boolean;
  /** Where what has to outlive the process is kept. */
  readonly folder: string;
  readonly hosts: readonly string[];
  /** Called for each host of each pass; connects when it is asked something. */
  openHost(host: string): WatchedHost;
  onEvent(event: SupervisorEvent): void;
}

/** How a pass is ended from outside. */
export interface StopSignals {
  /** No further step is begun. */
  readonly stop: AbortSignal;
  /** The step that runs is ended too. */
  readonly signal: AbortSignal;
}
