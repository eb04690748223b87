import { parseDuration } from "../../duration.ts";
import { isAppError } from "../../error.ts";
import { nearest } from "../../job/nearest.ts";
import { sayIssue } from "../../job/say-issue.ts";
import type { TimeWindow } from "../matching/time-window.ts";
import type { Approver, Policy, PolicyEffect, PolicyRule } from "../policy.ts";
import { type ExampleEntry, PolicyFile, type RuleEntry } from "./schema.ts";

/** Where something stands in a file: `["rules", 3, "limit"]`. */
export type FilePath = readonly (string | number)[];

/** A mistake in a policy file. */
export interface PolicyProblem {
  readonly path: FilePath;
  /** What is wrong; follows the name of the place. */
  readonly message: string;
}

/** What a policy file turned out to be. */
export type ReadPolicy =
  | {
      readonly kind: "policy";
      readonly policy: Policy;
      readonly examples: readonly ExampleEntry[];
      /** What the file says, whatever its spelling: equal for equal policies. */
      readonly content: PolicyFile;
    }
  | { readonly kind: "wrong"; readonly problems: readonly PolicyProblem[] };

/** How the text of the file is found again. */
export interface FileFacts {
  readonly path: string;
  /** The line of a place, from 1. */
  lineOf(path: FilePath): number | undefined;
}

/** Holds the content of a policy file against its schema and makes rules of it. Says every mistake, not only the first. */
export function readPolicy(content: unknown, file: FileFacts): ReadPolicy {
  const parsed = PolicyFile.safeParse(content, { error: sayIssue });
  if (!parsed.success) return { kind: "wrong", problems: parsed.error.issues.map(problemOf) };
  const { approvers = [], rules, examples = [] } = parsed.data;
  const problems = [
    ...nameProblems(rules),
    ...keyProblems(approvers),
    ...rules.flatMap((rule, index) => approvalProblems(rule, index, parsed.data)),
  ];
  if (problems.length > 0) return { kind: "wrong", problems };
  const policy: Policy = {
    file: file.path,
    approvers: approvers.map(toApprover),
    rules: rules.map((rule, index) => toRule(rule, file.lineOf(["rules", index]))),
  };
  return { kind: "policy", policy, examples, content: parsed.data };
}

/** Writes a place as people do: `rules[3].limit`. */
export function formatPath(path: FilePath): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
    .join("")
    .replace(/^\./, "");
}

function problemOf({
  path,
  message,
  ...issue
}: {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}): PolicyProblem {
  const place = path.map((part) => (typeof part === "symbol" ? String(part) : part));
  const [key] = "keys" in issue && Array.isArray(issue.keys) ? (issue.keys as string[]) : [];
  // The line of the key that there should not be says more than that of the block around it; the message names it.
  return key === undefined
    ? { path: place, message }
    : {
        path: [...place, key],
        message: message.replace(`has no field ${key}`, "is no field").replaceAll("; has no field ", "; nor is "),
      };
}

/** The history of a denial names its rule: two of one name could not be told apart. */
function nameProblems(rules: readonly RuleEntry[]): PolicyProblem[] {
  const seen = new Set<string>();
  return rules.flatMap(({ name }, index) => {
    if (seen.has(name)) return [{ path: ["rules", index, "name"], message: "is the name of an earlier rule too" }];
    seen.add(name);
    return [];
  });
}

/** A quorum counts principals: one key under two names would be enough for two. */
function keyProblems(approvers: NonNullable<PolicyFile["approvers"]>): PolicyProblem[] {
  const owners = new Map<string, string>();
  return approvers.flatMap(({ principal, key }, index) => {
    const [type, blob] = key.split(" ");
    const owner = owners.get(`${type} ${blob}`) ?? principal;
    owners.set(`${type} ${blob}`, owner);
    if (owner === principal) return [];
    return [{ path: ["approvers", index, "key"], message: `is the key of ${owner} too; with one key two are one` }];
  });
}

function approvalProblems({ approval }: RuleEntry, index: number, { approvers = [] }: PolicyFile): PolicyProblem[] {
  if (approval === undefined) return [];
  const known = approvers.map(({ principal }) => principal);
  const at = (...more: (string | number)[]): FilePath => ["rules", index, "approval", ...more];
  const problems: PolicyProblem[] = approval.by.flatMap((name, n) => {
    if (known.includes(name)) return [];
    const [near] = nearest(name, known, 1);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    return [{ path: at("by", n), message: `must be a principal of approvers${hint}` }];
  });
  if (approval.quorum > new Set(approval.by).size)
    problems.push({ path: at("quorum"), message: "must be at most the number of names in by" });
  try {
    readExpiry(approval.expires);
  } catch (error) {
    problems.push({
      path: at("expires"),
      message: `must be a time span, 1m to 366d (${isAppError(error) ? error.code : ""})`,
    });
  }
  return problems;
}

function readExpiry(text: string): number {
  return parseDuration(text, { what: "expires", minMs: 60_000 });
}

function toRule(entry: RuleEntry, line: number | undefined): PolicyRule {
  const { name, url_hosts, when, limit, allow: _, deny: __, approval: ___, ...conditions } = entry;
  const given = Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined));
  return {
    name,
    ...(given as Omit<PolicyRule, "name" | "effect">),
    ...(line === undefined ? {} : { line }),
    ...(url_hosts === undefined ? {} : { urlHosts: url_hosts }),
    ...(when === undefined ? {} : { when: toWindow(when) }),
    ...(limit === undefined ? {} : { perHour: Number.parseInt(limit, 10) }),
    effect: toEffect(entry),
  };
}

function toApprover({ principal, key, level, until }: NonNullable<PolicyFile["approvers"]>[number]): Approver {
  return {
    principal,
    key,
    ...(level === undefined ? {} : { level }),
    ...(until === undefined ? {} : { untilMs: Date.parse(until) }),
  };
}

function toEffect({ deny, approval }: RuleEntry): PolicyEffect {
  if (approval !== undefined) {
    const { by, quorum, level, expires } = approval;
    return { kind: "needs-approval", approvers: by, quorum, level, expiresInMs: readExpiry(expires) };
  }
  if (deny === undefined) return { kind: "allow" };
  return { kind: "deny", reason: deny === true ? "the policy denies it" : deny };
}

function toWindow({ days, from = "00:00", to = "24:00", zone }: NonNullable<RuleEntry["when"]>): TimeWindow {
  return { ...(days === undefined ? {} : { days }), fromMinute: minutes(from), toMinute: minutes(to), timeZone: zone };
}

function minutes(clock: string): number {
  const [hours = "0", rest = "0"] = clock.split(":");
  return Number(hours) * 60 + Number(rest);
}
