import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliFolder } from "../support/cli.ts";

// A policy that is there and cannot be taken stops everything, and the one line says which file, which place and what to do.

interface How {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}

interface Bad {
  readonly what: string;
  /** Puts it there. @returns how the call names it, where it does. */
  readonly put: (cli: CliFolder) => How;
  readonly says: RegExp;
}

const BESIDE = ".windlass/windlass.policy.yaml";
const after =
  (put: (cli: CliFolder) => unknown) =>
  (cli: CliFolder): How => {
    put(cli);
    return {};
  };
const beside = (text: string) => after((cli) => cli.write(BESIDE, text));
const rules = (rule: string): string => `version: 1\nrules:\n  - ${rule}\n`;

const FILES: readonly Bad[] = [
  { what: "empty", put: beside(""), says: /windlass\.policy\.yaml the file must be an object$/ },
  { what: "no YAML", put: beside("version: 1\nrules: [\n"), says: /is not valid YAML: .* line \d+/ },
  {
    what: "bytes that are no text",
    put: beside("\0\0\u0001\uFFFD{"),
    says: /policy\.yaml (is not valid YAML|line 1: the file must be an object)/,
  },
  { what: "of a later version", put: beside("version: 2\nrules: []\n"), says: /line 1: version must be 1/ },
  {
    what: "with a key that does not exist",
    put: beside(rules("{ name: a, alow: true }")),
    says: /line 3: rules\[0\]\.alow is no field; did you mean allow\?/,
  },
  {
    what: "with a rule that both allows and denies",
    put: beside(rules("{ name: a, allow: true, deny: true }")),
    says: /line 3: rules\[0\] must have exactly one of/,
  },
  {
    what: "with an approver that nobody is",
    put: beside(rules("{ name: a, approval: { by: [ops@example.com] } }")),
    says: /rules\[0\]\.approval\.by\[0\] must be a principal of approvers/,
  },
  {
    what: "a folder",
    put: after((cli) => mkdirSync(join(cli.path, BESIDE))),
    says: /windlass\.policy\.yaml is not a file$/,
  },
  {
    what: "a link that leads nowhere",
    put: after((cli) => symlinkSync("gone.yaml", join(cli.path, BESIDE))),
    says: /windlass\.policy\.yaml does not exist; nothing is done without the policy/,
  },
  {
    what: "named and not there",
    put: () => ({ args: ["--policy", "none.yaml"] }),
    says: /none\.yaml does not exist; nothing is done/,
  },
  { what: "named by a variable and a folder", put: () => ({ env: { WINDLASS_POLICY: "." } }), says: /is not a file$/ },
  {
    what: "named by the config file and not there",
    put: after((cli) => cli.write(".windlass/config.yaml", "policy: gone.yaml\n")),
    says: /gone\.yaml does not exist; nothing is done/,
  },
];

describe.concurrent("a policy file", () => {
  test.for(FILES)("that is $what", async ({ put, says }) => {
    await using cli = new CliFolder();
    const { args = [], env = {} } = put(cli);
    const { status, stdout, stderr } = await cli.call([...args, "jobs", "enqueue", "--type", "exec", "--", "true"], {
      env,
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    const lines = stderr
      .trim()
      .split("\n")
      .filter((line) => line.startsWith("config error: "));
    expect(lines).toEqual([expect.stringMatching(says)]);
    expect(existsSync(join(cli.path, ".windlass/windlass.db"))).toBe(false);
    // What looks for the mistake goes on, and finds it.
    const { value } = await cli.json<{ checks: { name: string; state: string; detail: string }[] }>(
      [...args, "doctor"],
      { env },
    );
    const found = value.checks.find(({ name }) => name === "policy");
    expect(found).toMatchObject({
      state: "fail",
      detail: expect.stringContaining("nothing is done before it is right"),
    });
  });
});
