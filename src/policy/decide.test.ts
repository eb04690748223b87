import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ACTOR_KINDS, ACTOR_VIAS, type Actor, type ActorKind } from "./actor.ts";
import { couldBeAllowed, decide, type PolicyDecision } from "./decide.ts";
import { readPolicy } from "./file/read-policy.ts";
import { isFixedProgram } from "./matching/programs.ts";
import type { Policy, PolicyRule } from "./policy.ts";
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

const policyApproval = { approvers: [], quorum: 1, level: "advisory", expiresInMs: 1 } as const;

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
        fc.pre(isFixedProgram(asked.argv?.[0] ?? ""));
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

  test("the line of a refusal, put into the file where it says, allows what was asked and was refused", () => {
    const base = {
      version: 1,
      rules: [
        { name: "people", actors: ["person:*"], allow: true },
        { name: "no", deny: true },
      ],
    };
    const names = fc.stringMatching(/^[a-z][a-z0-9. -]{0,12}$/);
    const asked = fc.record(
      {
        operation: names,
        access: fc.constantFrom("read" as const, "write" as const),
        jobType: names,
        host: names,
        argv: fc.array(fc.string(), { minLength: 1 }).filter(([program = ""]) => /^[^/]+$/.test(program)),
        urlHost: fc.constantFrom("example.com", "[::1]"),
        env: fc.uniqueArray(names, { minLength: 1 }),
        labels: fc.dictionary(names, names),
        nowMs: fc.integer(),
        used: fc.constant({}),
      },
      { requiredKeys: ["operation", "access", "labels", "nowMs", "used"] },
    ) as fc.Arbitrary<PolicyRequest>;
    fc.assert(
      fc.property(asked, names, (request, name) => {
        const read = (rules: readonly unknown[]) => {
          const found = readPolicy({ ...base, rules }, { path: "/p.yaml", lineOf: () => undefined });
          if (found.kind === "wrong") throw new Error(JSON.stringify(found.problems));
          return found.policy;
        };
        const refused = decide(read(base.rules), actorOf("agent", name), request);
        expect(refused).toMatchObject({ kind: "deny", rule: "no" });
        const reason = refused.kind === "deny" ? refused.reason : "";
        const [line] = parse(reason.slice(reason.indexOf("- {")).replace(/ \([^"]*\)$/, "")) as [unknown];
        const { rules } = base;
        expect(decide(read([line, ...rules]), actorOf("agent", name), request).kind).toBe("allow");
        // And nobody else.
        expect(decide(read([line, ...rules]), actorOf("agent", `${name}x`), request).kind).toBe("deny");
      }),
    );
  });

  const limited: Policy = {
    approvers: [],
    rules: [
      { name: "some", actors: ["agent:*"], perHour: 3, effect: { kind: "allow" } },
      { name: "rest", effect: { kind: "allow" } },
    ],
  };
  test.each([
    [{}, { kind: "allow", rule: "some", perHour: 3 }],
    [{ some: 2 }, { kind: "allow", rule: "some", perHour: 3 }],
    [{ some: 3 }, { kind: "deny", rule: "some", reason: "its limit of 3/h is used up; try again later" }],
    [{ rest: 99 }, { kind: "allow", rule: "some", perHour: 3 }],
  ])("a limit that was used %j times", (used, decision) => {
    expect(decide(limited, actorOf("agent"), { ...enqueue, used })).toEqual(decision);
    // Reading is neither counted nor limited, and who is not limited is not counted.
    expect(decide(limited, actorOf("agent"), { ...enqueue, access: "read", used })).toEqual({
      kind: "allow",
      rule: "some",
    });
    expect(decide(limited, actorOf("person"), { ...enqueue, used })).toEqual({ kind: "allow", rule: "rest" });
  });

  test.each<[condition: Partial<PolicyRule>, meets: Partial<PolicyRequest>, misses: Partial<PolicyRequest>]>([
    [{ access: "write" }, {}, { access: "read" }],
    [{ operations: ["jobs.*"] }, {}, { operation: "schedules.add" }],
    [{ types: ["windows.*", "exec"] }, {}, { jobType: "executor" }],
    [{ hosts: ["lab*"] }, { host: "lab1" }, { host: "prod" }],
    [{ hosts: ["lab*"] }, { host: "lab1" }, {}],
    [{ urlHosts: ["*.example.com"] }, { urlHost: "a.example.com" }, { urlHost: "example.com.evil.net" }],
    [{ labels: { site: "lab" } }, { labels: { site: "lab", arch: "arm" } }, { labels: { site: "x" } }],
    [{ labels: { site: "lab" } }, { labels: { site: "lab" } }, {}],
    [{ when: { fromMinute: 0, toMinute: 60, timeZone: "UTC" } }, { nowMs: 0 }, { nowMs: 3_600_000 }],
    [{ argv: ["echo"] }, {}, { argv: ["ls"] }],
  ])("a rule with %j matches %j and not %j", (condition, meets, misses) => {
    const one: Policy = { approvers: [], rules: [{ name: "one", ...condition, effect: { kind: "allow" } }] };
    expect(decide(one, actorOf("agent"), { ...enqueue, ...meets }).kind).toBe("allow");
    expect(decide(one, actorOf("agent"), { ...enqueue, ...misses }).kind).toBe("deny");
  });

  test("who would allow a shell is told what that means", () => {
    for (const program of ["bash", "/usr/bin/python3", "powershell.exe", "env"])
      expect(decide(undefined, actorOf("agent"), { ...enqueue, argv: [program] })).toMatchObject({
        reason: expect.stringContaining(`${program} runs whatever it is given`),
      });
    expect(decide(undefined, actorOf("agent"), enqueue)).toMatchObject({
      reason: expect.not.stringContaining("whatever"),
    });
  });

  test("a program by a relative path cannot be named, and that is said", () => {
    const reason = expect.stringContaining("./x.sh is another program in another folder");
    expect(decide(undefined, actorOf("agent"), { ...enqueue, argv: ["./x.sh"] })).toMatchObject({ reason });
  });

  test("what also runs a check cannot be allowed by naming its program, and that is said", () => {
    const asked = { ...enqueue, alsoRuns: [{ field: "check_argv", argv: ["true"] }] };
    expect(decide(undefined, actorOf("agent"), asked)).toMatchObject({
      reason: expect.stringMatching(/never covers a job that also runs its check_argv/),
    });
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

describe("what no rule could allow is known before all of the request is", () => {
  const small = fc.constantFrom("a", "b");
  const condition = fc.option(fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 2 }), {
    nil: undefined,
  });
  const rule = fc
    .record({
      name: fc.constant("rule"),
      actors: fc.option(fc.constantFrom(["agent:*"], ["person:*"], ["*"]), { nil: undefined }),
      access: fc.option(fc.constantFrom("read" as const, "write" as const), { nil: undefined }),
      operations: condition,
      types: condition,
      hosts: condition,
      argv: fc.option(fc.array(small, { minLength: 1, maxLength: 1 }), { nil: undefined }),
      labels: fc.option(fc.constant({ a: "a" }), { nil: undefined }),
      effect: fc.constantFrom(
        { kind: "allow" as const },
        { kind: "deny" as const, reason: "no" },
        { ...policyApproval, kind: "needs-approval" as const },
      ),
    })
    .map((fields) => JSON.parse(JSON.stringify(fields)) as PolicyRule);
  const whole = fc
    .record({
      operation: small,
      access: fc.constantFrom("read" as const, "write" as const),
      jobType: optional(small),
      host: optional(small),
      argv: optional(fc.array(small, { maxLength: 2 })),
      labels: fc.constantFrom({}, { a: "a" }),
      nowMs: fc.integer(),
      used: fc.constant({}),
    })
    .map((fields) => JSON.parse(JSON.stringify(fields)) as PolicyRequest);

  test("and whatever is learnt later is refused too", () => {
    let refusedCount = 0;
    const kinds = fc.constantFrom("agent" as const, "person" as const).map((kind) => actorOf(kind));
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), kinds, whole, fc.boolean(), (rules, who, asked, isTypeKnown) => {
        const policy: Policy = { rules, approvers: [] };
        const { operation, access, jobType } = asked;
        const known = { operation, access, ...(isTypeKnown && jobType !== undefined ? { jobType } : {}) };
        if (couldBeAllowed(policy, who, known)) return;
        refusedCount++;
        expect(decide(policy, who, asked).kind).toBe("deny");
      }),
      { numRuns: 2_000 },
    );
    expect(refusedCount).toBeGreaterThan(100);
  });

  test("and what some rule allows is not refused", () => {
    const known = { operation: "jobs.enqueue", access: "write", jobType: "exec" } as const;
    const rules = (...all: readonly Omit<PolicyRule, "name">[]): Policy => ({
      approvers: [],
      rules: all.map((one, index) => ({ name: `r${index}`, ...one })),
    });
    const [allow, deny] = [{ kind: "allow" }, { kind: "deny", reason: "no" }] as const;
    expect(couldBeAllowed(undefined, actorOf("agent"), known)).toBe(false);
    expect(couldBeAllowed(undefined, actorOf("person"), known)).toBe(true);
    expect(couldBeAllowed(rules({ argv: ["echo"], effect: allow }), actorOf("agent"), known)).toBe(true);
    expect(couldBeAllowed(rules({ hosts: ["prod"], effect: deny }, { effect: allow }), actorOf("agent"), known)).toBe(
      true,
    );
    expect(couldBeAllowed(rules({ types: ["exec"], effect: deny }, { effect: allow }), actorOf("agent"), known)).toBe(
      false,
    );
  });
});
