import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { type ExampleFacts, runExample } from "../../policy/file/run-examples.ts";
import { addApprover } from "./add-approver.ts";
import { DEFAULT_POLICY } from "./default-policy.ts";
import { readPolicyFile } from "./policy-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "windlass-policy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function write(text: string, name = "policy.yaml"): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function problem(text: string): string {
  const path = write(text);
  try {
    readPolicyFile(path);
    return "";
  } catch (error) {
    expect(error).toMatchObject({ code: "CONFIG" });
    return (error as Error).message.replace(path, "FILE");
  }
}

const GOOD = "version: 1\nrules:\n  - { name: all, allow: true }\n";

test("rules know their lines", () => {
  const { policy, lineOf, digest } = readPolicyFile(
    write("# head\nversion: 1\nrules:\n\n  - { name: a, allow: true }\n  - name: b\n    deny: true\n"),
  );
  expect(policy.rules.map(({ name, line }) => [name, line])).toEqual([
    ["a", 5],
    ["b", 6],
  ]);
  expect([lineOf(["rules", 1, "deny"]), lineOf(["rules", 9]), lineOf([])]).toEqual([7, 3, 2]);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
});

test("the digest is of what the file says, not of how", () => {
  const digests = [
    GOOD,
    "# a comment\nrules: [{ allow: true, name: all }]\nversion: 1\n",
    '{ "version": 1, "rules": [{ "name": "all", "allow": true }] }',
    "version: 1\nrules:\n  - { name: all, allow: true }\nexamples: []\n",
    "version: 1\nrules:\n  - { name: all, deny: true }\n",
  ].map((text) => readPolicyFile(write(text)).digest);
  expect(new Set(digests.slice(0, 3)).size).toBe(1);
  expect(new Set(digests.slice(2)).size).toBe(3);
});

test.each([
  ["", "FILE the file must be an object"],
  ["version: 1\nrules:\n  - name: a\n    alow: true\n", "FILE line 4: rules[0].alow is no field; did you mean allow?"],
  [
    "version: 1\nrules:\n  - { name: a, allow: true }\n  - { name: a, allow: true }\n",
    "FILE line 4: rules[1].name is the name of an earlier rule too",
  ],
  ["version: 1\nrules: [\n", "FILE is not valid YAML: "],
  ["version: 1\nversion: 1\nrules: []\n", "FILE is not valid YAML: Map keys must be unique"],
  ["version: 1\nrules: []\n---\nversion: 1\nrules: []\n", "FILE is not valid YAML: "],
  [
    `version: 1\nrules:\n${Array.from({ length: 8 }, () => "  - { name: '', allow: true }\n").join("")}`,
    "; and 3 more",
  ],
])("what is wrong is told with its line: %j", (text, part) => expect(problem(text)).toContain(part));

test("a text that repeats itself without end is refused", () => {
  const bomb = Array.from(
    { length: 20 },
    (_, n) => `a${n}: &a${n} [${n === 0 ? "x" : `*a${n - 1}, *a${n - 1}`}]\n`,
  ).join("");
  expect(problem(`version: 1\nrules: []\n${bomb}`)).toContain("repeats itself");
  expect(problem(" ".repeat(1024 * 1024 + 1))).toContain("at most 1048576");
});

test("what cannot be read stops everything, and says so", () => {
  for (const [path, part] of [
    [join(folder, "none.yaml"), "does not exist; nothing is done without the policy"],
    [folder, "is not a file"],
  ] as const)
    expect(() => readPolicyFile(path)).toThrow(
      expect.objectContaining({ code: "CONFIG", message: expect.stringContaining(part) }),
    );
});

test("a file that may not be read is no empty one", ({ skip }) => {
  skip(process.getuid?.() === 0, "root may read everything");
  const path = write(GOOD);
  chmodSync(path, 0);
  expect(() => readPolicyFile(path)).toThrow(expect.objectContaining({ message: expect.stringContaining("EACCES") }));
});

test("what init writes is right, and says to its own examples what they expect", () => {
  mkdirSync(join(folder, ".windlass"));
  const { policy, examples } = readPolicyFile(write(DEFAULT_POLICY));
  const reads = ["jobs.list", "doctor"];
  const facts = { nowMs: 0, accessOf: (name: string) => (reads.includes(name) ? "read" : "write") } as const;
  expect(examples.length).toBeGreaterThan(3);
  expect(examples.filter((example) => !runExample(policy, example, facts).isAsExpected)).toEqual([]);
});

test("the rules of docs/policy.md are right, and say to their examples what they expect", () => {
  const page = readFileSync(new URL("../../../docs/policy.md", import.meta.url), "utf8");
  const [block = ""] = /(?<=```yaml\n)version: 1[\s\S]*?(?=```)/.exec(page) ?? [];
  const { policy, examples } = readPolicyFile(write(block));
  const facts: ExampleFacts = { nowMs: Date.UTC(2026, 10, 20, 12), accessOf: () => "write" };
  expect(examples.length).toBe(8);
  expect(examples.filter((example) => !runExample(policy, example, facts).isAsExpected)).toEqual([]);
});

test("what init writes commented out is right too, and lets agents do that and no more", () => {
  const open = DEFAULT_POLICY.replace(
    /^ {2}# (?=( {2})?[-a-z])(?=- |name|actors|types|url_hosts|when|allow| )/gm,
    "  ",
  );
  // As `approvals setup` does it: whom a rule asks must be there.
  const { policy } = readPolicyFile(
    write(addApprover(open, { principal: "you@example.com", key: "ssh-ed25519 AAAA" })),
  );
  const names = ["read", "agents-git-status", "agents-ask", "agents-call-the-api", "people"];
  expect(policy.rules.map(({ name }) => name)).toEqual(names);
  const ask = (more: object) =>
    runExample(policy, { actor: "agent:codex", expect: "allow", ...more }, { nowMs: 0, accessOf: () => "write" })
      .decision;
  expect(ask({ type: "exec", argv: ["git", "status"] })).toEqual({
    kind: "allow",
    rule: "agents-git-status",
    perHour: 100,
  });
  expect(ask({ type: "exec", argv: ["git", "push"] })).toMatchObject({ kind: "needs-approval", level: "advisory" });
  expect(ask({ type: "windows.exec", command: "dir" }).kind).toBe("deny");
  const call = { type: "http.request", url: "https://api.example.com/v1" };
  expect(ask({ ...call, at: "2026-11-20T08:00:00Z" }).kind).toBe("allow");
  expect(ask({ ...call, at: "2026-11-21T08:00:00Z" }).kind).toBe("deny");
});
