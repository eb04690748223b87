import { describe, expect, test } from "vitest";
import { findCommand } from "./find-command.ts";
import { GLOBAL_FLAGS, LEADING_FLAGS } from "./global-flags.ts";

const COMMANDS = ["run", "worker", "jobs list", "jobs status", "artifacts list"].map((name) => ({ name }));
const find = (...argv: string[]) => findCommand(argv, COMMANDS, [...GLOBAL_FLAGS, ...LEADING_FLAGS]);

describe("the front of a command line", () => {
  test.each([
    [["jobs", "list", "--limit", "3"], [], ["jobs", "list"], ["--limit", "3"]],
    [["run", "exec", "jobs"], [], ["run"], ["exec", "jobs"]],
    [["--json", "jobs", "list"], ["--json"], ["jobs", "list"], []],
    [["--db", "jobs", "jobs", "list"], ["--db", "jobs"], ["jobs", "list"], []],
    [["--db=jobs", "jobs", "list"], ["--db=jobs"], ["jobs", "list"], []],
    [["jobs", "--json", "list", "--db", "x"], ["--json"], ["jobs", "list"], ["--db", "x"]],
    [["--config", "c.yaml", "jobs", "list"], ["--config", "c.yaml"], ["jobs", "list"], []],
    [["jobs"], [], ["jobs"], []],
    [["jobs", "--help"], ["--help"], ["jobs"], []],
    [["--help"], ["--help"], [], []],
    [[], [], [], []],
    [["--", "jobs"], [], [], ["--", "jobs"]],
  ])("%j", (argv, leading, words, rest) => {
    expect(find(...argv)).toEqual({ leading, words, argv: rest });
  });

  test.each([
    [["job", "list"], "did you mean"],
    [["jobs", "lst"], 'there is no command "jobs lst"; did you mean `windlass jobs list`?'],
    [["wroker"], "did you mean `windlass worker`?"],
    [["http.request"], 'there is no command "http.request"; if it is a job type, `windlass run http.request` runs one'],
    [["exec"], "`windlass run exec`"],
    [["jobs", "http.request"], "`windlass --help` lists them"],
    [["jobs.list"], "did you mean `windlass jobs list`?"],
    [["something-else-entirely"], "`windlass --help` lists them"],
    [[""], 'there is no command ""; `windlass --help` lists them'],
    [["jobs", ""], 'there is no command "jobs "; `windlass --help` lists them'],
  ])("%j is refused as USAGE", (argv, part) => {
    expect(() => find(...argv)).toThrowError(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(part) }),
    );
  });
});
