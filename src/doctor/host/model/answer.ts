import { type ErrorRecord, errorText, exitStatusOf } from "../../../error.ts";
import { type Facts, type Finding, fail, unreachable } from "../../model/finding.ts";

/** What came of a question. `not_asked`: what it stands on is not there, which is another line's finding. */
export type Answer<T> =
  | { readonly kind: "said"; readonly value: T }
  | { readonly kind: "failed"; readonly error: ErrorRecord }
  | { readonly kind: "not_asked"; readonly reason: string };

/** The finding about a question that got no answer. `remedy`: what to do about it, where its error does not say more. */
export function judgeNoAnswer(answer: Exclude<Answer<unknown>, { kind: "said" }>, remedy: string): Finding {
  if (answer.kind === "not_asked") return unreachable(`not asked: ${answer.reason}`, "see that line first");
  return judgeError(answer.error, remedy);
}

/** An error as a finding: what cannot be reached or gives no answer is no failed check. */
export function judgeError(error: ErrorRecord, remedy: string, facts: Facts = {}): Finding {
  const state = exitStatusOf(error.code) >= 3 ? unreachable : fail;
  return state(errorText(error), remedy, { ...facts, code: error.code });
}

/** A question about the machine that its PowerShell could not answer. */
export const ASK_AGAIN = "run `windlass doctor` again; if it stays, ask the machine the same by hand";
