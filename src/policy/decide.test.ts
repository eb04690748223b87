import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ACTOR_KINDS, ACTOR_VIAS, type Actor, type ActorKind } from "./actor.ts";
import { decide, type PolicyDecision } from "./decide.ts";
import type { Policy } from "./policy.ts";
import type { PolicyRequest } from "./request.ts";

const actorOf = (kind: ActorKind, name = "x"): Actor => ({ kind, name, via: "cli" });
const enqueue: PolicyRequest = {
  operation: "jobs.enqueue",
  access: "write",
  jobType: "exec",
  argv: ["echo", "the-password"],
  labels: {},
  nowMs: 0,
  used: {},
};

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const request = fc
  .record({
    operation: fc.string({ unit: "binary" }),
    access: fc.constantFrom("read" as const, "write" as const),
    jobType: optional(fc.string()),
    host: optional(fc.string()),
    argv: optional(fc.array(fc.string({ unit: "binary" }))),
    command: optional(fc.string()),
    urlHost: optional(fc.string()),
    inputDigest: optional(fc.string()),
    labels: fc.dictionary(fc.string(), fc.string()),
    nowMs: fc.double(),
    used: fc.dictionary(fc.string(), fc.double()),
  })
  .map((fields) => JSON.parse(JSON.stringify(fields)) as PolicyRequest);
const actor: fc.Arbitrary<Actor> = fc.record({
  kind: fc.constantFrom(...ACTOR_KINDS),
  name: fc.string({ unit: "binary" }),
  via: fc.constantFrom(...ACTOR_VIAS),
});

/** How much a decision gives. */
const worth = (decision: PolicyDecision): number => ["deny", "needs-approval", "allow"].indexOf(decision.kind);

describe("without a policy file", () => {
  test.each(ACTOR_KINDS)("%s may read", (kind) => {
    expect(decide(undefined, actorOf(kind), { ...enqueue, access: "read" })).toEqual({
      kind: "allow",
      rule: "built-in.read",
    });
  });

  test.each(["person", "schedule", "job", "unattended"] as const)("%s may change everything", (kind) => {
    expect(decide(undefined, actorOf(kind), enqueue)).toEqual({ kind: "allow", rule: "built-in.own-machine" });
  });

  test("an agent may change nothing and is told which line a person would add", () => {
    const decision = decide(undefined, actorOf("agent", "codex"), { ...enqueue, host: "lab1" });
    expect(decision).toEqual({
      kind: "deny",
      rule: "built-in.agents-change-nothing",
      reason:
        'without a policy file an agent may read and change nothing; to allow this, a person adds this line under "rules:" in windlass.policy.yaml beside the database (`windlass init` writes one): ' +
        '- { name: "allow-codex-exec", actors: ["agent:codex"], operations: ["jobs.enqueue"], types: ["exec"], hosts: ["lab1"], argv: ["echo"], allow: true }',
    });
  });

  test("the line is YAML that says what was asked, whatever the names hold, and no argument of the program", () => {
    fc.assert(
      fc.property(request, fc.string({ unit: "binary" }), (asked, name) => {
        fc.pre(![name, asked.operation, asked.jobType, asked.host, asked.urlHost].some((text) => text?.includes("*")));
        const decision = decide(undefined, actorOf("agent", name), { ...asked, access: "write" });
        expect(decision.kind).toBe("deny");
        const reason = decision.kind === "deny" ? decision.reason : "";
        expect(reason).not.toContain("\n");
        const [rule] = parse(reason.slice(reason.indexOf("- {"))) as [Record<string, unknown>];
        expect(rule).toMatchObject({ actors: [`agent:${name}`], operations: [asked.operation], allow: true });
        expect(rule["types"]).toEqual(asked.jobType === undefined ? undefined : [asked.jobType]);
        expect(rule["argv"]).toEqual(asked.argv?.[0] === undefined ? undefined : [asked.argv[0]]);
      }),
    );
  });

  test.each([{ jobType: "*" }, { host: "lab*" }, { operation: "jobs.*" }])(
    "no line is given that would allow more than %j",
    (asked) => {
      const decision = decide(undefined, actorOf("agent"), { ...enqueue, ...asked });
      expect(decision).toMatchObject({ kind: "deny", reason: expect.not.stringContaining("allow: true") });
    },
  );

  test("nobody gets more by being stricter", () => {
    fc.assert(
      fc.property(request, actor, actor, (asked, one, other) => {
        const [freer, stricter] =
          ACTOR_KINDS.indexOf(one.kind) <= ACTOR_KINDS.indexOf(other.kind) ? [one, other] : [other, one];
        expect(worth(decide(undefined, stricter, asked))).toBeLessThanOrEqual(worth(decide(undefined, freer, asked)));
      }),
    );
  });
});

describe("with a policy", () => {
  const approval = {
    kind: "needs-approval",
    approvers: ["ops@example.com"],
    quorum: 1,
    level: "enforced",
    expiresInMs: 86_400_000,
  } as const;
  const policy: Policy = {
    approvers: [],
    rules: [
      { name: "read", access: "read", effect: { kind: "allow" } },
      { name: "agents-ask", actors: ["agent:*"], effect: approval },
      { name: "no-schedules", actors: ["schedule:*"], effect: { kind: "deny", reason: "schedules are off" } },
      { name: "people", actors: ["person:*", "schedule:*"], effect: { kind: "allow" } },
    ],
  };

  test("the first rule that matches wins", () => {
    expect(decide(policy, actorOf("agent"), { ...enqueue, access: "read" })).toEqual({ kind: "allow", rule: "read" });
    expect(decide(policy, actorOf("agent"), enqueue)).toEqual({ rule: "agents-ask", ...approval });
    expect(decide(policy, actorOf("schedule"), enqueue)).toMatchObject({ kind: "deny", rule: "no-schedules" });
    expect(decide(policy, actorOf("person"), enqueue)).toEqual({ kind: "allow", rule: "people" });
  });

  test("what no rule matches is denied", () => {
    expect(decide(policy, actorOf("job"), enqueue)).toMatchObject({ kind: "deny", rule: "no-match" });
    expect(decide({ rules: [], approvers: [] }, actorOf("person"), { ...enqueue, access: "read" })).toMatchObject({
      kind: "deny",
    });
  });

  test("there is one answer for every request, the same each time", () => {
    const some = fc.constantFrom(undefined, policy, { rules: [], approvers: [] });
    fc.assert(
      fc.property(some, actor, request, (rules, who, asked) => {
        const decision = decide(rules, who, asked);
        expect(["allow", "deny", "needs-approval"]).toContain(decision.kind);
        expect(decision.rule).not.toBe("");
        expect(decide(rules, who, asked)).toEqual(decision);
      }),
    );
  });
});
