import type { MachineIdentity } from "../attempt/handlers.ts";
import type { Clock } from "../clock.ts";
import type { Config, LoadedConfig } from "../config/config.ts";
import type { Connection } from "../database/connection.ts";
import type { ErrorRecord } from "../error.ts";

/** What a check can come to. `not_configured`: there is nothing to look at; `unreachable`: a dependency does not answer. */
export const CHECK_STATES = ["ok", "warn", "fail", "not_configured", "unreachable"] as const;
export type CheckState = (typeof CHECK_STATES)[number];

/** Facts of a check by name, in snake_case: they cross a border. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** What a check found. */
export interface Finding {
  readonly state: CheckState;
  /** One sentence. */
  readonly detail: string;
  readonly facts: Facts;
  /** What to type or to do; `null` where there is nothing to do. */
  readonly remedy: string | null;
}

/** What a check looks at. */
export interface CheckContext {
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly clock: Clock;
  readonly machine: MachineIdentity;
  /** Both clocks when the doctor began. */
  readonly began: { readonly wallMs: number; readonly monoMs: number };
  /** Where the database is, or would be. */
  readonly path: string;
  /** Opened for reading; `undefined` when there is none or it cannot be opened, and then `openError` says why. */
  readonly db: Connection | undefined;
  readonly openError: ErrorRecord | undefined;
}

/** A context with a database. */
export interface OpenContext extends CheckContext {
  readonly db: Connection;
}

/** One check. */
export type Check =
  | { readonly name: string; readonly needs: "nothing"; readonly look: (context: CheckContext) => Finding }
  /** `file`: a database that can be opened; `records`: one of this program's schema as well. */
  | { readonly name: string; readonly needs: "file" | "records"; readonly look: (context: OpenContext) => Finding };

export function ok(detail: string, facts: Facts = {}): Finding {
  return { state: "ok", detail, facts, remedy: null };
}

export function warn(detail: string, remedy: string, facts: Facts = {}): Finding {
  return { state: "warn", detail, facts, remedy };
}

export function fail(detail: string, remedy: string, facts: Facts = {}): Finding {
  return { state: "fail", detail, facts, remedy };
}

export function notConfigured(detail: string, facts: Facts = {}, remedy: string | null = null): Finding {
  return { state: "not_configured", detail, facts, remedy };
}

/** Bytes as people read them. */
export function sayBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** `1 job`, `2 jobs`. */
export function sayCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
