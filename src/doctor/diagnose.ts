import type { Clock } from "../clock.ts";
import type { LoadedConfig } from "../config/config.ts";
import type { Connection } from "../database/connection.ts";
import { ownMigrations, schemaVersion } from "../database/migrate.ts";
import { openAnyVersion } from "../database/open.ts";
import { type ErrorRecord, errorText, toErrorRecord } from "../error.ts";
import { machineIdentity } from "../host/local/machine.ts";
import type { Check, CheckContext, CheckState, Finding } from "./check.ts";
import { CHECKS } from "./checks.ts";

/** The finding of one check, by its name. */
export interface CheckResult extends Finding {
  readonly name: string;
}

/** Where the doctor looks. */
export interface DoctorParts {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
}

/**
 * Makes every check that can be made; what needs a database is left out where there is none. Only reads: it writes a small
 * file of its own to measure the disk, and removes it.
 */
export function diagnose({ loaded, clock }: DoctorParts): CheckResult[] {
  const { config } = loaded;
  const { path } = config.database;
  const began = { wallMs: clock.now(), monoMs: clock.monotonic() };
  const { db, openError } = config.backend === "embedded" ? open(path) : { db: undefined, openError: undefined };
  try {
    const context = { loaded, config, clock, machine: machineIdentity(), began, path, db, openError };
    return CHECKS.flatMap((check) => look(check, context) ?? []);
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

function look(check: Check, context: CheckContext): CheckResult | undefined {
  try {
    if (check.needs === "nothing") return { name: check.name, ...check.look(context) };
    const { db } = context;
    if (db === undefined || (check.needs === "records" && !isOwnSchema(db))) return undefined;
    return { name: check.name, ...check.look({ ...context, db }) };
  } catch (error) {
    return { name: check.name, ...broken(toErrorRecord(error)) };
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
