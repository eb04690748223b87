import { isHardwareKey, parseSshKey } from "../../approval/model/ssh-key.ts";
import { hasSshKeygen } from "../../approval/ssh-keygen.ts";
import { type LoadedPolicy, loadPolicy } from "../../config/policy/load-policy.ts";
import { ownMigrations, schemaVersion } from "../../database/migrate.ts";
import { formatDuration } from "../../duration.ts";
import type { CheckContext } from "../check.ts";
import { type Facts, type Finding, fail, notConfigured, ok, sayCount } from "../model/finding.ts";

/** Who may decide here, what their decisions are worth, and what waits for one. */
export function approvals(context: CheckContext): Finding {
  const loaded = loadQuietly(context);
  const approvers = loaded?.policy.approvers ?? [];
  const strict = approvers.filter(({ key, level }) => level === "enforced" || isHardware(key));
  const pending = countPending(context);
  const hasProgram = hasSshKeygen();
  const facts: Facts = {
    ssh_keygen: hasProgram,
    approvers: approvers.length,
    enforceable: loaded?.level === "enforced" ? strict.length : 0,
    ...(pending === undefined ? {} : { pending: pending.count, oldest_pending_ms: pending.oldestMs }),
  };
  const waiting = sayPending(pending);
  if (approvers.length === 0)
    return notConfigured(
      `the policy has no approvers, so nothing can be approved${waiting}`,
      facts,
      "windlass approvals setup",
    );
  if (!hasProgram)
    return fail(
      `ssh-keygen is not on PATH, and without it no approval counts${waiting}`,
      "install openssh-client",
      facts,
    );
  const found = ok(
    `${sayCount(approvers.length, "key")} of approvers; ${sayWorth(loaded, strict.length)}${waiting}`,
    facts,
  );
  return pending !== undefined && pending.count > 0 ? { ...found, remedy: "windlass approvals list" } : found;
}

/** A policy that is wrong is told by its own check. */
function loadQuietly({ config: { policy, ...rest } }: CheckContext): LoadedPolicy | undefined {
  if (policy === undefined) return undefined;
  const place = { policy, ...rest };
  try {
    return loadPolicy(place);
  } catch {
    return undefined;
  }
}

function isHardware(text: string): boolean {
  const key = parseSshKey(text);
  return key !== undefined && isHardwareKey(key);
}

function sayWorth(loaded: LoadedPolicy | undefined, strict: number): string {
  if (loaded?.level !== "enforced") return "what they decide is advisory, because the policy is";
  return strict === 0 ? "none of them can be enforced: all are plain keys" : `${strict} can be enforced`;
}

interface Pending {
  readonly count: number;
  readonly oldestMs: number | null;
}

function sayPending(pending: Pending | undefined): string {
  if (pending === undefined || pending.count === 0) return "";
  return `; ${sayCount(pending.count, "approval")} pending, the oldest for ${formatDuration(pending.oldestMs ?? 0)}`;
}

/** `undefined` where there is no database that has them. */
function countPending({ db, clock }: CheckContext): Pending | undefined {
  if (db === undefined || Number(db.pragma("user_version")) !== schemaVersion(ownMigrations())) return undefined;
  const row = db.get<{ n: number; oldest: number | null }>(
    "SELECT count(*) AS n, min(asked) AS oldest FROM approval WHERE state = 'pending'",
  );
  const { n = 0, oldest = null } = row ?? {};
  return { count: n, oldestMs: oldest === null ? null : Math.max(0, clock.now() - oldest) };
}
