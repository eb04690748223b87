import type { Clock } from "../clock.ts";
import type { LoadedConfig } from "../config/config.ts";
import type { Connection } from "../database/connection.ts";
import { ownMigrations, schemaVersion } from "../database/migrate.ts";
import { openAnyVersion } from "../database/open.ts";
import { type ErrorRecord, errorText, toErrorRecord } from "../error.ts";
import { configuredHosts } from "../host/choose-hosts.ts";
import { machineIdentity } from "../host/local/machine.ts";
import type { Check, CheckContext, NetworkContext } from "./check.ts";
import { CHECKS } from "./checks.ts";
import type { Repaired } from "./fix.ts";
import type { CheckState, Finding } from "./model/finding.ts";
import { linesWithoutHost } from "./model/host-lines.ts";

/** The finding of one check, by its name. */
export interface CheckResult extends Finding {
  readonly name: string;
  /** The machine that it is about; `null`: this one. */
  readonly host: string | null;
}

/** Where the doctor looks. */
export interface DoctorParts {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What the doctor found, and what could be mended on other machines or was. */
export interface Diagnosis {
  readonly results: readonly CheckResult[];
  readonly plan: readonly string[];
  readonly repairs: readonly Repaired[];
}

/**
 * Makes every check that can be made; what needs a database is left out where there is none. Only reads: it writes a small
 * file of its own to measure the disk, and removes it.
 *
 * @param parts.fix makes the firewall rules that are missing on the machines, and nothing else.
 */
export async function diagnose(parts: DoctorParts & { readonly fix: boolean }): Promise<Diagnosis> {
  const local = await diagnoseHere(parts);
  const hosts = configuredHosts(parts.loaded);
  if (hosts.length === 0)
    return {
      results: [...local, ...linesWithoutHost().map((line) => ({ ...line, host: null }))],
      plan: [],
      repairs: [],
    };
  // SSH, PowerShell and Playwright are loaded only where there is something to ask.
  const { diagnoseHosts } = await import("./host/diagnose-hosts.ts");
  const { results, ...mended } = await diagnoseHosts(hosts, parts);
  return { ...mended, results: [...local, ...results] };
}

async function diagnoseHere({ loaded, clock, signal }: DoctorParts): Promise<CheckResult[]> {
  const { config } = loaded;
  const { path } = config.database;
  const began = { wallMs: clock.now(), monoMs: clock.monotonic() };
  const { db, openError } = config.backend === "embedded" ? open(path) : { db: undefined, openError: undefined };
  try {
    const context = { loaded, config, clock, machine: machineIdentity(), began, path, db, openError, signal };
    const results: CheckResult[] = [];
    for (const check of CHECKS) {
      const finding = await look(check, context);
      if (finding !== undefined) results.push({ name: check.name, host: null, ...finding });
    }
    return results;
  } finally {
    db?.close();
  }
}

function open(path: string): Pick<CheckContext, "db" | "openError"> {
  try {
    return { db: openAnyVersion(path), openError: undefined };
  } catch (error) {
    return { db: undefined, openError: toErrorRecord(error) };
  }
}

async function look(check: Check, context: NetworkContext): Promise<Finding | undefined> {
  try {
    if (check.needs === "nothing") return check.look(context);
    if (check.needs === "network") return await check.look(context);
    const { db } = context;
    if (db === undefined || (check.needs === "records" && !isOwnSchema(db))) return undefined;
    return check.look({ ...context, db });
  } catch (error) {
    context.signal.throwIfAborted();
    return broken(toErrorRecord(error));
  }
}

function isOwnSchema(db: Connection): boolean {
  return Number(db.pragma("user_version")) === schemaVersion(ownMigrations());
}

/** A check that cannot be made is a finding of its own. */
function broken(error: ErrorRecord): Finding {
  const state = error.code === "DATABASE_BUSY" ? "unreachable" : "fail";
  const remedy = error.code === "DATABASE_DAMAGED" ? "run `windlass db check`, then restore a backup" : null;
  return { state, detail: errorText(error), facts: { code: error.code }, remedy };
}

/** What the worst finding comes to. @param strict makes what is worth a look, and what is not configured, a failure. */
export function summarise(results: readonly Pick<Finding, "state">[], strict: boolean): "ok" | "fail" | "unreachable" {
  const has = (...states: readonly CheckState[]): boolean => results.some(({ state }) => states.includes(state));
  if (has("fail") || (strict && has("warn", "not_configured"))) return "fail";
  return has("unreachable") ? "unreachable" : "ok";
}
