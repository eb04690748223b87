import { describe, expect, test } from "vitest";
import { formatPath, readPolicy } from "./read-policy.ts";

const KEY = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA== ops";
const file = { path: "/p.yaml", lineOf: (path: readonly unknown[]) => path.length };
const read = (content: unknown) => readPolicy(content, file);
const rule = (more: object) => ({ version: 1, rules: [{ name: "r", allow: true, ...more }] });

test("a file becomes rules; what it does not say is not there", () => {
  const found = read({
    version: 1,
    approvers: [
      { principal: "ops@example.com", key: KEY, level: "enforced" },
      { principal: "ops@example.com", key: KEY, until: "2027-01-01T01:00:00+01:00" },
    ],
    rules: [
      { name: "read", access: "read", allow: true },
      { name: "no", deny: true },
      { name: "never", actors: ["agent:*", "*"], deny: "not here" },
      { name: "ask", url_hosts: ["*.example.com", "*"], approval: { by: ["ops@example.com"], expires: "90m" } },
      {
        name: "some",
        argv: ["git"],
        env: ["CI"],
        labels: { site: "lab" },
        when: { days: ["mon"], to: "24:00", zone: "UTC" },
        limit: "100/h",
        allow: true,
      },
    ],
    examples: [{ actor: "agent:x", expect: "deny" }],
  });
  expect(found).toMatchObject({ kind: "policy", examples: [{ actor: "agent:x", expect: "deny" }] });
  if (found.kind !== "policy") return;
  expect(found.policy).toEqual({
    file: "/p.yaml",
    approvers: [
      { principal: "ops@example.com", key: KEY, level: "enforced" },
      { principal: "ops@example.com", key: KEY, untilMs: Date.UTC(2027, 0, 1) },
    ],
    rules: [
      { name: "read", line: 2, access: "read", effect: { kind: "allow" } },
      { name: "no", line: 2, effect: { kind: "deny", reason: "the policy denies it" } },
      { name: "never", line: 2, actors: ["agent:*", "*"], effect: { kind: "deny", reason: "not here" } },
      {
        name: "ask",
        line: 2,
        urlHosts: ["*.example.com", "*"],
        effect: {
          kind: "needs-approval",
          approvers: ["ops@example.com"],
          quorum: 1,
          level: "advisory",
          expiresInMs: 5_400_000,
        },
      },
      {
        name: "some",
        line: 2,
        argv: ["git"],
        env: ["CI"],
        labels: { site: "lab" },
        when: { days: ["mon"], fromMinute: 0, toMinute: 1440, timeZone: "UTC" },
        perHour: 100,
        effect: { kind: "allow" },
      },
    ],
  });
});

const APPROVERS = [
  { principal: "ops@example.com", key: KEY },
  { principal: "dev@example.com", key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==" },
];
const ask = (approval: object) => ({ version: 1, approvers: APPROVERS, rules: [{ name: "r", approval }] });
const example = (more: object) => ({
  version: 1,
  rules: [],
  examples: [{ actor: "agent:x", expect: "deny", ...more }],
});

describe("what is wrong is named with its place", () => {
  test.each<[content: unknown, place: string, part: string]>([
    [null, "", "must be an object"],
    ["allow everything", "", "must be an object"],
    [{ rules: [] }, "version", "is missing"],
    [{ version: 2, rules: [] }, "version", "must be 1"],
    [{ version: 1 }, "rules", "is missing"],
    [{ version: 1, rules: [], rule: [] }, "rule", "is no field; did you mean rules?"],
    [rule({ name: "a b" }), "rules[0].name", "must be 1 to 64 of A-Z"],
    [rule({ name: "built-in.read" }), "rules[0].name", "neither no-match nor built-in"],
    [rule({ name: "no-match" }), "rules[0].name", "neither no-match"],
    [rule({ actor: ["x"] }), "rules[0].actor", "is no field; did you mean actors?"],
    [rule({ actor: ["x"], alow: 1 }), "rules[0].actor", "is no field; did you mean actors?; nor is alow; did you mean"],
    [rule({ actors: [] }), "rules[0].actors", "must not be empty"],
    [rule({ actors: "agent:*" }), "rules[0].actors", "must be a list"],
    [rule({ actors: ["agents:*"] }), "rules[0].actors[0]", "kinds are person"],
    [rule({ actors: ["codex"] }), "rules[0].actors[0]", "must be kind:name"],
    [rule({ operations: [""] }), "rules[0].operations[0]", "must not be empty"],
    [rule({ access: "all" }), "rules[0].access", "must be one of read, write"],
    [rule({ argv: [] }), "rules[0].argv", "the name of a program"],
    [rule({ argv: ["./x"] }), "rules[0].argv", "an absolute path"],
    [rule({ argv: [""] }), "rules[0].argv", "the name of a program"],
    [rule({ command: " x" }), "rules[0].command", "one line"],
    [rule({ command: "x\ny" }), "rules[0].command", "one line"],
    [rule({ command: "x", argv: ["x"] }), "rules[0].command", "two rules"],
    [rule({ env: ["CI"] }), "rules[0].env", "only with argv or command"],
    [rule({ url_hosts: ["*example.com"] }), "rules[0].url_hosts[0]", "a star only in front"],
    [rule({ url_hosts: ["https://example.com"] }), "rules[0].url_hosts[0]", "without scheme"],
    [rule({ url_hosts: ["Example.com"] }), "rules[0].url_hosts[0]", "small letters"],
    [rule({ when: { zone: "UTC" } }), "rules[0].when", "must have days, from or to"],
    [rule({ when: { days: ["monday"], zone: "UTC" } }), "rules[0].when.days[0]", "must be one of sun, mon"],
    [rule({ when: { from: "8:00", zone: "UTC" } }), "rules[0].when.from", 'such as "08:00"'],
    [rule({ when: { from: "08:00", to: "08:00", zone: "UTC" } }), "rules[0].when.to", "the same as from"],
    [rule({ when: { from: "08:00" } }), "rules[0].when.zone", "is missing"],
    [rule({ when: { from: "08:00", zone: "Berlin" } }), "rules[0].when.zone", "such as Europe/Berlin"],
    [rule({ limit: 100 }), "rules[0].limit", "must be a text"],
    [rule({ limit: "0/h" }), "rules[0].limit", "such as 100/h"],
    [rule({ limit: "5/m" }), "rules[0].limit", "such as 100/h"],
    [rule({ allow: false }), "rules[0].allow", "write deny: true"],
    [rule({ allow: undefined }), "rules[0]", "exactly one of allow: true, deny and approval"],
    [rule({ deny: true }), "rules[0]", "exactly one of"],
    [rule({ allow: undefined, deny: "no", limit: "1/h" }), "rules[0].limit", "does not go with deny"],
    [{ version: 1, rules: [...rule({}).rules, ...rule({}).rules] }, "rules[1].name", "an earlier rule"],
    [ask({ by: [] }), "rules[0].approval.by", "must not be empty"],
    [ask({ by: ["opps@example.com"] }), "rules[0].approval.by[0]", "did you mean ops@example.com?"],
    [ask({ by: ["ops@example.com", "ops@example.com"], quorum: 2 }), "rules[0].approval.quorum", "at most the number"],
    [ask({ by: ["ops@example.com"], expires: "soon" }), "rules[0].approval.expires", "must be a time span"],
    [ask({ by: ["ops@example.com"], level: "high" }), "rules[0].approval.level", "must be one of advisory, enforced"],
    [
      {
        version: 1,
        approvers: [
          { principal: "ops", key: KEY },
          { principal: "ops", key: KEY, until: "2027-01-01T00:00:00Z" },
          { principal: "dev", key: KEY.replace(" ops", " dev") },
        ],
        rules: [],
      },
      "approvers[2].key",
      "is the key of ops too; with one key two are one",
    ],
    [
      { version: 1, approvers: [{ principal: "ops", key: KEY, until: "soon" }], rules: [] },
      "approvers[0].until",
      "must be a time such as",
    ],
    [
      { version: 1, approvers: [{ principal: "ops", key: "AAAA" }], rules: [] },
      "approvers[0].key",
      "OpenSSH public key",
    ],
    [example({ actor: "agent:*" }), "examples[0].actor", "without a star"],
    [example({ expect: "maybe" }), "examples[0].expect", "must be one of allow, deny, needs-approval"],
    [example({ url: "example.com" }), "examples[0].url", "must be a URL"],
    [example({ at: "tomorrow" }), "examples[0].at", "2026-11-21T18:00:00Z"],
  ])("%j", (content, place, part) => {
    const found = read(content);
    const problems = found.kind === "wrong" ? found.problems : [];
    expect(problems.map(({ path, message }) => [formatPath(path), message])).toEqual([
      [place, expect.stringContaining(part)],
    ]);
  });

  test("all of it at once", () => {
    const found = read({
      version: 1,
      rules: [
        { name: "", allow: true },
        { name: "b", limit: "x", allow: true },
      ],
    });
    expect(found).toMatchObject({
      kind: "wrong",
      problems: [{ path: ["rules", 0, "name"] }, { path: ["rules", 1, "limit"] }],
    });
  });
});
