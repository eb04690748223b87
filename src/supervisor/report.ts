import type { Component } from "./component.ts";

/** How a component is. `unknown`: it stands behind SSH, which is down. `recovering`: a repair is not proved yet. */
export const CHECK_STATES = ["ok", "recovering", "failed", "flapping", "unknown", "not_configured"] as const;
export type CheckState = (typeof CHECK_STATES)[number];

/** How a host is: the worst of its checks. */
export const HOST_STATES = ["healthy", "recovering", "flapping", "failing", "ssh_down"] as const;
export type HostState = (typeof HOST_STATES)[number];

/** A repair that was tried. */
export interface RemedyReport {
  readonly name: string;
  readonly state: "done" | "skipped" | "failed";
  readonly detail: string;
}

/** What became of the repairs of a check: as they ended, why there were none, or that they are proved to have helped. */
export const REMEDY_STATES = [
  ...["none", "done", "skipped", "failed"],
  ...["limit", "flapping", "open", "remediated"],
] as readonly RemedyState[];
export type RemedyState =
  | "none"
  | RemedyReport["state"]
  /** As many repairs as the window may have were made. */
  | "limit"
  | "flapping"
  | "open"
  | "remediated";

/** One check in one pass. */
export interface CheckReport {
  readonly component: Component;
  readonly state: CheckState;
  readonly circuitBreaker: "closed" | "open";
  /** Unix milliseconds. */
  readonly openUntilMs: number | undefined;
  /** In a row, over passes. */
  readonly failures: number;
  /** Made in this pass. */
  readonly probes: number;
  readonly detail: string;
  readonly remedies: readonly RemedyReport[];
  readonly remedyState: RemedyState;
}

/** A host in one pass. */
export interface HostReport {
  readonly host: string;
  readonly state: HostState;
  readonly circuitBreaker: "closed" | "open";
  readonly checks: readonly CheckReport[];
}

/** One pass over all hosts. */
export interface PassReport {
  readonly atMs: number;
  readonly state: HostState;
  readonly circuitBreaker: "closed" | "open";
  readonly hosts: readonly HostReport[];
}

/** Puts the checks of a host together. */
export function reportHost(host: string, checks: readonly CheckReport[]): HostReport {
  return { host, state: stateOf(checks), circuitBreaker: breakerOf(checks), checks };
}

/** Puts the hosts of a pass together. */
export function reportPass(atMs: number, hosts: readonly HostReport[]): PassReport {
  const worst = Math.max(0, ...hosts.map(({ state }) => HOST_STATES.indexOf(state)));
  return { atMs, state: HOST_STATES[worst] ?? "healthy", circuitBreaker: breakerOf(hosts), hosts };
}

function stateOf(checks: readonly CheckReport[]): HostState {
  const has = (state: CheckState): boolean => checks.some((check) => check.state === state);
  const ssh = checks.find(({ component }) => component === "ssh");
  if (ssh?.state === "failed" || (ssh?.state === "flapping" && ssh.failures > 0)) return "ssh_down";
  if (has("failed")) return "failing";
  if (has("flapping")) return "flapping";
  return has("recovering") ? "recovering" : "healthy";
}

function breakerOf(parts: readonly { readonly circuitBreaker: "closed" | "open" }[]): "closed" | "open" {
  return parts.some(({ circuitBreaker }) => circuitBreaker === "open") ? "open" : "closed";
}
