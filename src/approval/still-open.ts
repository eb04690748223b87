import type { Approval, Decision } from "./approval.ts";

/** True while a decision of this kind changes anything: a yes can be taken back as soon as one is there, until it is used. */
export function isOpenTo({ state, usedAtMs, decisions }: Pick<Approval, Asked>, decision: Decision): boolean {
  if (decision !== "revoked") return state === "pending";
  return usedAtMs === null && (state === "approved" || (state === "pending" && yeses(decisions).size > 0));
}

/**
 * True for somebody who has decided. Where enough of them said yes and it is open all the same, a worker found that not all
 * of it counts, by a key or a policy: then everybody may decide again.
 */
export function hasDecided({ decisions, terms }: Pick<Approval, "decisions" | "terms">, principal: string): boolean {
  if (yeses(decisions).size >= terms.quorum) return false;
  return decisions.some((made) => made.principal === principal && made.decision !== "revoked");
}

type Asked = "state" | "usedAtMs" | "decisions";

function yeses(decisions: Approval["decisions"]): ReadonlySet<string> {
  return new Set(decisions.filter(({ decision }) => decision === "approved").map(({ principal }) => principal));
}
