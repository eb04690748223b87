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

/** A dependency that is configured and does not answer. */
export function unreachable(detail: string, remedy: string, facts: Facts = {}): Finding {
  return { state: "unreachable", detail, facts, remedy };
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
