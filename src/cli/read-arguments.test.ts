import { describe, expect, test } from "vitest";
import type { Flag } from "./flag.ts";
import { firstWord, knownValues, readArguments, textOf } from "./read-arguments.ts";

const FLAGS: readonly Flag[] = [
  { name: "json", kind: "boolean", description: "" },
  { name: "limit", kind: "number", description: "", aliases: ["most"] },
  { name: "arg", kind: "texts", description: "" },
  { name: "metadata", kind: "pairs", description: "" },
  { name: "follow", short: "f", kind: "boolean", description: "" },
];

const read = (...argv: string[]) => {
  const { values, words, rest } = readArguments("jobs list", argv, FLAGS);
  return { values: Object.fromEntries(values), words, rest };
};

describe("arguments", () => {
  test.each([
    [["--limit", "3"], { limit: ["3"] }],
    [["--limit=3"], { limit: ["3"] }],
    [["--limit", "-3"], { limit: ["-3"] }],
    [["--most", "3"], { limit: ["3"] }],
    [["--json"], { json: [true] }],
    [["--no-json"], { json: [false] }],
    [["--json", "--no-json"], { json: [false] }],
    [["-f"], { follow: [true] }],
    [["--arg", "a", "--arg=", "--arg", "-x"], { arg: ["a", "", "-x"] }],
    [["--metadata", "a=b", "--metadata", "c=d=e"], { metadata: ["a=b", "c=d=e"] }],
    [["--arg=--json"], { arg: ["--json"] }],
  ])("%j", (argv, values) => {
    expect(read(...argv)).toEqual({ values, words: [], rest: undefined });
  });

  test("words stand between flags, and all that follows -- is left alone", () => {
    expect(read("a", "--json", "b", "--", "--limit", "--", "c")).toEqual({
      values: { json: [true] },
      words: ["a", "b"],
      rest: ["--limit", "--", "c"],
    });
    expect(read("--")).toMatchObject({ rest: [] });
  });

  test.each([
    [["--limt", "3"], "jobs list: there is no flag --limt; did you mean --limit?"],
    [["--wholly-other"], "`windlass jobs list --help` lists them"],
    [["-x"], "there is no flag -x"],
    [["--no-limit"], "there is no flag --no-limit"],
    [["--config", "x"], "--config stands only before the subcommand: windlass --config PATH jobs list"],
    [["--config=x"], "--config stands only before the subcommand"],
    [["--limit"], "--limit needs a value"],
    [["--limit", "--json"], "--limit needs a value, and --json is a flag; write --limit=--json if it is meant"],
    [["--json=yes"], "--json takes no value"],
    [["--limit", "3", "--limit", "4"], "jobs list: --limit is given more than once; it takes one value"],
    [["--limit", "3", "--most=3"], "--limit is given more than once"],
  ])("%j is refused as USAGE", (argv, part) => {
    expect(() => read(...argv)).toThrowError(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(part) }),
    );
  });

  test("before a command is known, none is named", () => {
    expect(() => readArguments("", ["--limit"], FLAGS)).toThrowError(/^--limit needs a value$/);
    expect(() => readArguments("", ["--wholly-other"], FLAGS)).toThrowError("`windlass --help` lists them");
  });

  test("what is known before all flags are: values of known flags, the first word, and nothing behind --", () => {
    const argv = ["--unknown", "exec", "--limit", "3", "--", "--json"];
    expect(Object.fromEntries(knownValues(argv, FLAGS))).toEqual({ limit: ["3"] });
    expect(firstWord(argv, FLAGS)).toBe("exec");
    expect(textOf(argv, FLAGS, "limit")).toBe("3");
    expect(textOf(["--", "--limit", "3"], FLAGS, "limit")).toBeUndefined();
    expect(firstWord(["--limit", "3"], FLAGS)).toBeUndefined();
  });
});
