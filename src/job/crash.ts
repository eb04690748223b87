import type { AfterCrash, CrashRule } from "./rules.ts";

const STRICTNESS: Readonly<Record<AfterCrash, number>> = { rerun: 0, check: 1, stop: 2 };

/** The rule for one input: a table is looked up by the text of its field. */
export function crashRuleFor(rule: CrashRule, input: unknown): AfterCrash {
  if (typeof rule === "string") return rule;
  const value =
    typeof input === "object" && input !== null ? (input as Record<string, unknown>)[rule.field] : undefined;
  const name = String(value);
  return (Object.hasOwn(rule.cases, name) ? rule.cases[name] : undefined) ?? rule.otherwise;
}

/** True when `asked` holds back at least as much as `own`. */
export function isAsStrict(asked: AfterCrash, own: AfterCrash): boolean {
  return STRICTNESS[asked] >= STRICTNESS[own];
}

/** What becomes of a job whose worker is gone. */
export type ReclaimDecision =
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly code: "CRASHED" | "OUTCOME_UNKNOWN"; readonly message: string }
  | { readonly kind: "again"; readonly crashes: number; readonly recover: boolean };

/** What {@link decideReclaim} looks at. */
export interface LostAttempt {
  readonly cancelRequested: boolean;
  /** False when the worker is known not to have died of it: it stalled, was stopped, or fell with another job. */
  readonly chargeCrash: boolean;
  readonly crashes: number;
  readonly crashesMax: number;
  readonly afterCrash: AfterCrash;
  readonly recordsEffects: boolean;
  readonly hasEffect: boolean;
}

/**
 * Decides over a job whose lease was taken from its worker. An effect that was recorded goes to the next attempt, which
 * looks for it before anything else; one that would have been recorded and was not has never started.
 */
export function decideReclaim(lost: LostAttempt): ReclaimDecision {
  const crashes = lost.crashes + (lost.chargeCrash ? 1 : 0);
  if (lost.cancelRequested && !lost.hasEffect) return { kind: "cancelled" };
  // Also beyond the limit: somebody must look after what was started. What then may still run, decideRecovery says.
  if (lost.hasEffect) return { kind: "again", crashes, recover: true };
  if (crashes > lost.crashesMax)
    return { kind: "failed", code: "CRASHED", message: crashedMessage(crashes, lost.crashesMax) };
  if (lost.recordsEffects || lost.afterCrash === "rerun") return { kind: "again", crashes, recover: false };
  if (lost.afterCrash === "check") return { kind: "again", crashes, recover: true };
  return {
    kind: "failed",
    code: "OUTCOME_UNKNOWN",
    message:
      "its worker died in the middle and nothing says whether its work was done; look, then `windlass jobs retry` to do it again",
  };
}

/** What an attempt that follows a crash does first. */
export type RecoveryDecision =
  | { readonly kind: "adopt" }
  | { readonly kind: "leave" }
  | { readonly kind: "check" }
  | { readonly kind: "run" }
  | { readonly kind: "unknown" }
  | { readonly kind: "crashed"; readonly message: string };

/** What {@link decideRecovery} looks at. */
export interface Recovery {
  readonly recover: boolean;
  readonly hasEffect: boolean;
  readonly canAdopt: boolean;
  readonly canCheck: boolean;
  /** Absent while nobody tried; true once an adoption found nothing. */
  readonly adoptionFailed: boolean;
  /** True on the machine that started the effect, whether or not it has restarted since. */
  readonly sameHost: boolean;
  readonly sinceLostMs: number;
  readonly adoptWaitMs: number;
  readonly afterCrash: AfterCrash;
  readonly crashes: number;
  readonly crashesMax: number;
}

/** Adoption comes first, however often it crashed; the crash rule speaks only when the outcome is still unknown. */
export function decideRecovery(recovery: Recovery): RecoveryDecision {
  if (!recovery.recover) return { kind: "run" };
  if (recovery.hasEffect && recovery.canAdopt && !recovery.adoptionFailed) {
    if (recovery.sameHost) return { kind: "adopt" };
    if (recovery.sinceLostMs < recovery.adoptWaitMs) return { kind: "leave" };
  }
  const { crashes, crashesMax } = recovery;
  if (crashes > crashesMax) return { kind: "crashed", message: crashedMessage(crashes, crashesMax) };
  if (recovery.afterCrash === "rerun") return { kind: "run" };
  if (recovery.afterCrash === "check" && recovery.canCheck) return { kind: "check" };
  return { kind: "unknown" };
}

function crashedMessage(crashes: number, crashesMax: number): string {
  return `its worker died ${crashes} times while it ran (job.crashes_max is ${crashesMax}); look at the worker's log before \`windlass jobs retry\``;
}
