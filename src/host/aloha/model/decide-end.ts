import type { LogEvidence } from "./log-evidence.ts";

/** How a run ended, as far as there is evidence. */
export type RunEnd =
  | { readonly kind: "completed" }
  /** All steps were done, and Aloha did not say that the task is. */
  | { readonly kind: "step_limit" }
  /** Somebody stopped it, and it was not this job. */
  | { readonly kind: "stopped" }
  /** The action server was not there or failed. */
  | { readonly kind: "no_response" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** Names the end of a run that is over. Without the marker of completion it is never `completed`. */
export function decideEnd(evidence: LogEvidence, steps: number): RunEnd {
  if (evidence.overlapped) {
    return { kind: "unknown", reason: "two runs were on at once, and what they did cannot be told apart" };
  }
  if (evidence.restarted) return { kind: "unknown", reason: "Aloha's client was started anew while the run was on" };
  if (!evidence.finished) {
    const reason = evidence.started ? "its log does not say how the run ended" : "its log says nothing of the run";
    return { kind: "unknown", reason };
  }
  if (evidence.completion === "shown") return { kind: "completed" };
  if (evidence.serverFailure === "no_response") return { kind: "no_response" };
  if (evidence.serverFailure === "bad_response") {
    return { kind: "failed", reason: "the action server's answer could not be read" };
  }
  if (evidence.crash !== undefined) return { kind: "failed", reason: `the run broke: ${evidence.crash}` };
  if (evidence.stopped) return { kind: "stopped" };
  if (evidence.steps >= steps) return decideFullRun(evidence);
  return { kind: "unknown", reason: `its log ends after step ${evidence.steps} of ${steps} and does not say why` };
}

/** Steps that do nothing end like steps that do: a model without a key lets every run end in peace. */
function decideFullRun({ steps, failedActions, keyMissing }: LogEvidence): RunEnd {
  if (failedActions < steps) return { kind: "step_limit" };
  const cause = keyMissing ? "Aloha has no key for its model" : "none of its actions could be carried out";
  return { kind: "failed", reason: `${steps} steps did nothing: ${cause}` };
}
