import type { ActorKind } from "./actor.ts";

/** What a rule says about a request that it matches. */
export type PolicyEffect =
  | { readonly kind: "allow" }
  | { readonly kind: "deny"; readonly reason: string }
  | {
      readonly kind: "needs-approval";
      readonly approvers: readonly string[];
      readonly quorum: number;
      readonly level: "advisory" | "enforced";
      readonly expiresInMs: number;
    };

/** One rule. A condition that is absent matches everything; all that are present must match. */
export interface PolicyRule {
  /** Unique in a policy; every decision and every history row names it. */
  readonly name: string;
  readonly actorKinds?: readonly ActorKind[];
  readonly access?: "read" | "write";
  readonly effect: PolicyEffect;
}

/** Ordered rules: the first one that matches wins, and what none matches is denied. */
export interface Policy {
  readonly rules: readonly PolicyRule[];
}

/**
 * What holds without a policy file: everybody may read; people, and what they set going themselves, may do everything on
 * their own machine; an agent may change nothing.
 */
export const BUILT_IN_POLICY: Policy = {
  rules: [
    { name: "built-in.read", access: "read", effect: { kind: "allow" } },
    {
      name: "built-in.own-machine",
      actorKinds: ["person", "schedule", "job", "unattended"],
      effect: { kind: "allow" },
    },
    {
      name: "built-in.agents-change-nothing",
      effect: { kind: "deny", reason: "without a policy file an agent may read and change nothing" },
    },
  ],
};
