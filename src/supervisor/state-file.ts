import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { COMPONENTS, type Component } from "./component.ts";
import { type BreakerState, FRESH } from "./decide-breaker.ts";

const Time = z.int().nonnegative();
const StoredBreaker = z.strictObject({
  failures: z.int().nonnegative(),
  open_until_ms: Time.nullable(),
  opens_ms: z.array(Time),
  repairs_ms: z.array(Time),
  unproven: z.int().nonnegative(),
});
const StoredHost = z.strictObject({
  version: z.literal(1),
  checks: z.partialRecord(z.enum(COMPONENTS), StoredBreaker),
});

/** What is remembered of a host, by component. */
export type HostState = ReadonlyMap<Component, BreakerState>;

/** What was read, and what was wrong with it. */
export interface ReadState {
  readonly state: HostState;
  /** Where a file that could not be read was put aside; absent where all was well. */
  readonly damaged?: { readonly path: string; readonly reason: string };
}

/** Reads what is remembered of a host; a damaged file is put aside, and the host starts afresh. */
export function readState(folder: string, host: string, nowMs: number): ReadState {
  const path = fileOf(folder, host);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { state: new Map() };
    throw error;
  }
  try {
    return { state: stateOf(StoredHost.parse(JSON.parse(text))) };
  } catch (error) {
    const aside = `${path}.damaged-${nowMs}`;
    renameSync(path, aside);
    return { state: new Map(), damaged: { path: aside, reason: reasonOf(error) } };
  }
}

/** Writes what is remembered of a host: all of it or nothing. */
export function writeState(folder: string, host: string, state: HostState): void {
  const checks = Object.fromEntries([...state].map(([component, breaker]) => [component, storedOf(breaker)]));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = fileOf(folder, host);
  // Flushed before it takes the name: after a power cut the file is the old one or the new one, never an empty one.
  writeFileSync(`${path}.part`, `${JSON.stringify({ version: 1, checks }, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.part`, path);
}

/** The names of hosts hold letters, digits and `. _ -` alone. */
function fileOf(folder: string, host: string): string {
  return join(folder, `${host}.json`);
}

function stateOf({ checks }: z.output<typeof StoredHost>): HostState {
  const state = new Map<Component, BreakerState>();
  for (const component of COMPONENTS) {
    const stored = checks[component];
    if (stored === undefined) continue;
    state.set(component, {
      ...FRESH,
      failures: stored.failures,
      openUntilMs: stored.open_until_ms ?? undefined,
      opens: stored.opens_ms,
      repairs: stored.repairs_ms,
      unproven: stored.unproven,
    });
  }
  return state;
}

function storedOf({ failures, openUntilMs, opens, repairs, unproven }: BreakerState): z.input<typeof StoredBreaker> {
  return { failures, open_until_ms: openUntilMs ?? null, opens_ms: [...opens], repairs_ms: [...repairs], unproven };
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError)
    return error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  return error instanceof Error ? error.message : String(error);
}
