import { pause, unlessAborted, withDeadline } from "../clock.ts";
import { errorText, toErrorRecord } from "../error.ts";
import type { Component, Finding, Repair, Watched } from "./component.ts";
import {
  afterBad,
  afterGood,
  afterRepair,
  type BreakerState,
  beginRepair,
  beginTrial,
  decideRepair,
  decideTurn,
  isFlapping,
} from "./decide-breaker.ts";
import type { CheckReport, CheckState, RemedyReport, RemedyState } from "./report.ts";
import type { StopSignals, SupervisorParts } from "./supervisor-parts.ts";

/** One check of one host in one pass. */
export class ComponentCheck {
  readonly #watched: Watched;
  readonly #host: string;
  readonly #parts: SupervisorParts;
  readonly #keep: (state: BreakerState) => void;
  readonly #remedies: RemedyReport[] = [];
  #state: BreakerState;
  #probes = 0;
  #detail = "";
  #canRepair = true;
  /** Something was done, and nothing has failed since: what was started may need more than one look until it is there. */
  #isHopeful = false;
  #remedyState: RemedyState = "none";

  constructor(
    watched: Watched,
    {
      host,
      state,
      parts,
      keep,
    }: {
      readonly host: string;
      readonly state: BreakerState;
      readonly parts: SupervisorParts;
      /** Keeps what is remembered; called before anything is done that counts. */
      readonly keep: (state: BreakerState) => void;
    },
  ) {
    this.#watched = watched;
    this.#host = host;
    this.#state = state;
    this.#parts = parts;
    this.#keep = keep;
  }

  /** Probes and repairs as far as the breaker lets it; one that runs once goes on until there is a verdict. */
  async run(signals: StopSignals): Promise<CheckReport> {
    const { clock, limits, settleMs } = this.#parts;
    while (!signals.stop.aborted) {
      const turn = decideTurn(this.#state, clock.now(), limits);
      if (turn.kind === "wait") {
        if (this.#probes === 0) this.#detail = `left alone until ${new Date(turn.untilMs).toISOString()}`;
        break;
      }
      const before = this.#state;
      if (turn.kind === "trial") this.#change(beginTrial(before, clock.now(), limits));
      const isGood = await this.#probe(before, signals.signal);
      if (!isGood && this.#canRepair) await this.#repair(before, signals);
      if (!this.#goesOn(isGood)) break;
      if (!this.#isForced) await pause(clock, settleMs, AbortSignal.any([signals.stop, signals.signal]));
    }
    return this.#report();
  }

  get #isForced(): boolean {
    return this.#parts.failpoint === this.#watched.component;
  }

  /** Only one that runs once looks again in the same pass: until a repair is proved, or the breaker opens. */
  #goesOn(isGood: boolean): boolean {
    if (!this.#parts.isOnce) return false;
    return isGood ? this.#state.unproven > 0 : this.#isForced || this.#isHopeful;
  }

  async #probe(before: BreakerState, signal: AbortSignal): Promise<boolean> {
    const { clock, limits, random } = this.#parts;
    const startedMs = clock.monotonic();
    const { isGood, detail, canRepair = true } = await this.#look(signal);
    signal.throwIfAborted();
    this.#probes++;
    this.#detail = detail;
    this.#canRepair = canRepair;
    if (isGood) {
      const { state, remediated } = afterGood(before, clock.now(), limits);
      this.#change(state);
      if (remediated) this.#remedyState = "remediated";
    } else this.#change(afterBad(before, { nowMs: clock.now(), random: random(), limits }));
    const durationMs = Math.round(clock.monotonic() - startedMs);
    this.#parts.onEvent({ kind: "probed", ...this.#subject, isGood, detail, isForced: this.#isForced, durationMs });
    return isGood;
  }

  async #look(signal: AbortSignal): Promise<Finding> {
    if (this.#isForced) return { isGood: false, detail: "made to fail by the failpoint" };
    try {
      return await this.#withLimit((limited) => this.#watched.probe({ signal: limited }), signal);
    } catch (error) {
      return { isGood: false, detail: errorText(toErrorRecord(error)) };
    }
  }

  async #repair(before: BreakerState, { stop, signal }: StopSignals): Promise<void> {
    const { clock, limits } = this.#parts;
    const { repairs } = this.#watched;
    if (repairs.length === 0 || stop.aborted) return;
    const decision = decideRepair({ before, state: this.#state }, clock.now(), limits);
    if (decision !== "repair") {
      this.#remedyState = decision;
      return;
    }
    this.#change(beginRepair(this.#state, clock.now()));
    const ends: RemedyReport[] = [];
    for (const repair of repairs) ends.push(await this.#remedy(repair, signal));
    this.#remedies.push(...ends);
    const has = (state: RemedyReport["state"]): boolean => ends.some((end) => end.state === state);
    if (has("done")) this.#change(afterRepair(this.#state, limits));
    if (has("failed") || has("done")) {
      this.#isHopeful = has("done");
      this.#remedyState = has("failed") ? "failed" : "done";
      return;
    }
    // What found nothing to do is not counted.
    this.#change({ ...this.#state, repairs: this.#state.repairs.slice(0, -1) });
    if (this.#remedyState === "none") this.#remedyState = "skipped";
  }

  async #remedy(repair: Repair, signal: AbortSignal): Promise<RemedyReport> {
    const { name } = repair;
    let report: RemedyReport;
    try {
      report = { name, ...(await this.#withLimit((limited) => repair.run({ signal: limited }), signal)) };
    } catch (error) {
      report = { name, state: "failed", detail: errorText(toErrorRecord(error)) };
    }
    signal.throwIfAborted();
    this.#parts.onEvent({ kind: "repaired", ...this.#subject, ...report });
    return report;
  }

  #withLimit<T>(run: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock, stepLimitMs: timeoutMs } = this.#parts;
    // What does not listen is left behind: the pass has to come to an end.
    return withDeadline({ clock, timeoutMs, signal }, (limited) => unlessAborted(run(limited), limited));
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#keep(state);
  }

  #report(): CheckReport {
    const { openUntilMs, failures } = this.#state;
    return {
      component: this.#watched.component,
      state: this.#checkState(),
      circuitBreaker: openUntilMs === undefined ? "closed" : "open",
      openUntilMs,
      failures,
      probes: this.#probes,
      detail: this.#detail,
      remedies: this.#remedies,
      remedyState: this.#remedyState,
    };
  }

  #checkState(): CheckState {
    const { failures, openUntilMs, unproven } = this.#state;
    if (isFlapping(this.#state, this.#parts.clock.now(), this.#parts.limits)) return "flapping";
    if (this.#probes === 0 && openUntilMs === undefined) return "unknown";
    if (failures > 0) return "failed";
    return unproven > 0 ? "recovering" : "ok";
  }

  get #subject(): { readonly host: string; readonly component: Component } {
    return { host: this.#host, component: this.#watched.component };
  }
}
