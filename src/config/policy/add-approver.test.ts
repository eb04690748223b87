import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { addApprover } from "./add-approver.ts";
import { DEFAULT_POLICY } from "./default-policy.ts";

const ANNA = { principal: "anna@example.com", key: "ssh-ed25519 AAAA" };
const BERT = { principal: "bert", key: "ssh-ed25519 BBBB" };
const entry = (indent: string, name: string): string => `${indent}- { principal: "${name}"`;

/** The lines that the second text has more than the first; the others must be the same. */
function addedLines(before: string, after: string): readonly string[] {
  const left = before.split("\n");
  const added = after.split("\n").filter((line) => line !== left[0] || left.shift() === undefined);
  expect(left).toEqual([]);
  return added;
}

describe("an approver is added", () => {
  test.each([
    ["to the policy that init writes", DEFAULT_POLICY, "  "],
    ["behind a comment on the version", "# top\nversion: 1 # the first\n# rules follow\nrules: []\n", "  "],
    ["to a file without a line end", "rules: []\nversion: 1", "  "],
  ])("%s", (_, text, indent) => {
    const once = addApprover(text, ANNA);
    expect(addedLines(text.endsWith("\n") ? text : `${text}\n`, once)).toEqual([
      "approvers:",
      expect.stringContaining(entry(indent, ANNA.principal)),
    ]);
    const twice = addApprover(once, BERT);
    expect(addedLines(once, twice)).toEqual([expect.stringContaining(entry(indent, BERT.principal))]);
    expect(parse(twice)).toMatchObject({ version: 1, approvers: [ANNA, BERT] });
  });

  test.each([
    ["version: 1\napprovers:\n- principal: x\n  key: y # mine\n\n# then\nrules: []\n", ""],
    ["version: 1\napprovers:\n    - { principal: x, key: y }\nrules: []\n", "    "],
    ["approvers:\n  - principal: x\n    key: >-\n      y\n      z\nversion: 1\nrules: []\n", "  "],
  ])("as its neighbours are indented: %j", (text, indent) => {
    const after = addApprover(text, ANNA);
    expect(addedLines(text, after)).toEqual([expect.stringContaining(entry(indent, ANNA.principal))]);
    expect(parse(after).approvers.at(-1)).toEqual(ANNA);
  });

  test.each([
    '{"version":1,"rules":[]}',
    "version: 1\napprovers: []\nrules: []\n",
    "version: 1\napprovers: [{ principal: x, key: y }] # here\nrules: []\n",
    "version: 1\napprovers:\nrules: []\n",
    "version: 1\napprovers: &all\n  - { principal: x, key: y }\nrules: []\n",
  ])("whatever the file looks like: %j", (text) => {
    const { approvers: before, ...rest } = parse(text);
    const { approvers, ...after } = parse(addApprover(text, ANNA));
    expect(approvers).toEqual([...(before ?? []), ANNA]);
    expect(after).toEqual(rest);
  });
});
