import type { TimeWindow } from "./matching/time-window.ts";

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

/**
 * One rule. A condition that is absent matches everything; all that are present must match. In the lists of patterns one is
 * enough; `*` in a pattern stands for any characters.
 */
export interface PolicyRule {
  /** Unique in a policy; every decision names it. */
  readonly name: string;
  /** Where it stands in the file, from 1. */
  readonly line?: number;
  /** Patterns of `kind:name`. */
  readonly actors?: readonly string[];
  readonly access?: "read" | "write";
  readonly operations?: readonly string[];
  readonly types?: readonly string[];
  readonly hosts?: readonly string[];
  readonly urlHosts?: readonly string[];
  /** The first words of a program's argv, each exactly. */
  readonly argv?: readonly string[];
  /** The beginning of a line for a remote shell, in whole words. */
  readonly command?: string;
  /** Variables that a job may set although `argv` or `command` stands here. Default: none. */
  readonly env?: readonly string[];
  /** Labels that the job must require of its worker. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly when?: TimeWindow;
  readonly effect: PolicyEffect;
  /** How many changes each actor may make under this rule in an hour. */
  readonly perHour?: number;
}

/** Somebody who may decide, by a key of their own. Whoever has several keys stands there once for each. */
export interface Approver {
  readonly principal: string;
  /** An OpenSSH public key. */
  readonly key: string;
  /** The policy's author vouches that no asking account can read the key. */
  readonly level?: "enforced";
  /** Unix milliseconds: what was decided until then counts, and nothing after it. Default: no end. */
  readonly untilMs?: number;
}

/** Ordered rules: the first one that matches wins, and what none matches is denied. */
export interface Policy {
  /** Where it was read; absent for the built-in rules. */
  readonly file?: string;
  readonly rules: readonly PolicyRule[];
  readonly approvers: readonly Approver[];
}

/**
 * What holds without a policy file: everybody may read; people, and what they set going themselves, may do everything on
 * their own machine; an agent may change nothing.
 */
export const BUILT_IN_POLICY: Policy = {
  approvers: [],
  rules: [
    { name: "built-in.read", access: "read", effect: { kind: "allow" } },
    {
      name: "built-in.own-machine",
      actors: ["person:*", "schedule:*", "job:*", "unattended:*"],
      effect: { kind: "allow" },
    },
    {
      name: "built-in.agents-change-nothing",
      effect: { kind: "deny", reason: "without a policy file an agent may read and change nothing" },
    },
  ],
};
