import { isDeepStrictEqual } from "node:util";
import { pause } from "../clock.ts";
import { errorText, toErrorRecord } from "../error.ts";
import { ComponentCheck } from "./check-component.ts";
import { COMPONENTS, type Component, type Repair, type Watched, type WatchedHost } from "./component.ts";
import { type BreakerState, FRESH } from "./decide-breaker.ts";
import { type CheckReport, type HostReport, type PassReport, reportHost, reportPass } from "./report.ts";
import { readState, writeState } from "./state-file.ts";
import { holdSupervisorLock } from "./supervisor-lock.ts";
import type { StopSignals, SupervisorParts } from "./supervisor-parts.ts";

/** Watches hosts: looks, repairs what it can, and leaves alone what does not get better. The only one of its database. */
export class Supervisor implements Disposable {
  readonly #parts: SupervisorParts;
  readonly #lock: Disposable;
  readonly #states = new Map<string, Map<Component, BreakerState>>();

  private constructor(parts: SupervisorParts, lock: Disposable) {
    this.#parts = parts;
    this.#lock = lock;
  }

  /** @throws AppError `SUPERVISOR_RUNNING` while another one has the lock. */
  static open(parts: SupervisorParts): Supervisor {
    const lock = holdSupervisorLock(parts.folder);
    const supervisor = new Supervisor(parts, lock);
    try {
      for (const host of parts.hosts) supervisor.#read(host);
      return supervisor;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }

  /** Looks at every host once, one after the other. What was stopped in the middle is no report. */
  async pass(signals: StopSignals): Promise<PassReport | undefined> {
    const atMs = this.#parts.clock.now();
    const hosts: HostReport[] = [];
    for (const host of this.#parts.hosts) {
      await using opened = this.#parts.openHost(host);
      const checks = await this.#checkHost(opened, signals);
      if (signals.stop.aborted && checks.length < COMPONENTS.length) return undefined;
      hosts.push(reportHost(host, checks));
    }
    return reportPass(atMs, hosts);
  }

  /**
   * Makes pass after pass, never two at once, until it is stopped. A pass that took longer than the interval is followed
   * by the next one at once.
   */
  async run(
    { intervalMs, onReport }: { readonly intervalMs: number; readonly onReport: (report: PassReport) => void },
    signals: StopSignals,
  ): Promise<void> {
    const { clock } = this.#parts;
    const awakened = AbortSignal.any([signals.stop, signals.signal]);
    while (!signals.stop.aborted) {
      const startedMs = clock.monotonic();
      const report = await this.#passSafely(signals);
      if (report !== undefined) onReport(report);
      const leftMs = startedMs + intervalMs - clock.monotonic();
      await pause(clock, Math.max(0, leftMs), awakened);
    }
  }

  /** A pass that breaks is told, and the next one is made. */
  async #passSafely(signals: StopSignals): Promise<PassReport | undefined> {
    try {
      return await this.pass(signals);
    } catch (error) {
      signals.signal.throwIfAborted();
      this.#parts.onEvent({ kind: "problem", host: "", message: errorText(toErrorRecord(error)) });
      return undefined;
    }
  }

  async #checkHost({ host, watched }: WatchedHost, signals: StopSignals): Promise<readonly CheckReport[]> {
    const checks: CheckReport[] = [];
    let isReachable = true;
    for (const one of watched) {
      if (signals.stop.aborted) break;
      const check = await this.#check(host, one, { isReachable, signals });
      if (check.component === "ssh") isReachable = check.failures === 0 && check.circuitBreaker === "closed";
      checks.push(check);
      this.#parts.onEvent({ kind: "checked", host, check });
    }
    return checks;
  }

  async #check(
    host: string,
    watched: Watched,
    { isReachable, signals }: { readonly isReachable: boolean; readonly signals: StopSignals },
  ): Promise<CheckReport> {
    const { component, notConfigured } = watched;
    const state = this.#states.get(host)?.get(component) ?? FRESH;
    const isCutOff = component !== "ssh" && component !== "backend" && !isReachable;
    // A failpoint stands above all: it is there to rehearse a failure where there may be nothing to fail.
    if (this.#parts.failpoint !== component) {
      if (notConfigured !== undefined)
        return notAsked(component, { state, as: "not_configured", detail: notConfigured });
      if (isCutOff) return notAsked(component, { state, as: "unknown", detail: SSH_IS_DOWN });
    }
    const keep = (changed: BreakerState): void => this.#keep(host, component, changed);
    const asked = isCutOff ? { ...watched, repairs: watched.repairs.map(outOfReach) } : watched;
    return new ComponentCheck(asked, { host, state, parts: this.#parts, keep }).run(signals);
  }

  #read(host: string): void {
    const { folder, clock } = this.#parts;
    const { state, damaged } = readState(folder, host, clock.now());
    this.#states.set(host, new Map(state));
    if (damaged === undefined) return;
    const message = `what was remembered cannot be read (${damaged.reason}); it starts afresh and the file is kept as ${damaged.path}`;
    this.#parts.onEvent({ kind: "problem", host, message });
  }

  /** What cannot be written is still remembered by this process. */
  #keep(host: string, component: Component, changed: BreakerState): void {
    const states = this.#states.get(host);
    if (states === undefined || isDeepStrictEqual(states.get(component) ?? FRESH, changed)) return;
    states.set(component, changed);
    try {
      writeState(this.#parts.folder, host, states);
    } catch (error) {
      const message = `what has to be remembered cannot be written: ${errorText(toErrorRecord(error))}`;
      this.#parts.onEvent({ kind: "problem", host, message });
    }
  }
}

const SSH_IS_DOWN = "SSH is down";

function outOfReach({ name }: Repair): Repair {
  return { name, run: async () => ({ state: "skipped", detail: SSH_IS_DOWN }) };
}

function notAsked(
  component: Component,
  {
    state,
    as,
    detail,
  }: { readonly state: BreakerState; readonly as: "unknown" | "not_configured"; readonly detail: string },
): CheckReport {
  const { openUntilMs, failures } = as === "unknown" ? state : FRESH;
  const circuitBreaker = openUntilMs === undefined ? "closed" : "open";
  return {
    component,
    state: as,
    circuitBreaker,
    openUntilMs,
    failures,
    probes: 0,
    detail,
    remedies: [],
    remedyState: "none",
  };
}
