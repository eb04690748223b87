import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jobFacts } from "../job-facts.ts";
import type { PolicyRule } from "../policy.ts";
import { runsWhatIsNamed } from "./programs.ts";

type Named = Pick<PolicyRule, "argv" | "command" | "env">;

const asks = (rule: Named, kind: "allow" | "deny", input: unknown): boolean =>
  runsWhatIsNamed(
    { ...rule, effect: kind === "allow" ? { kind } : { kind, reason: "no" } },
    { operation: "jobs.enqueue", access: "write", jobType: "exec", ...jobFacts(input), labels: {}, nowMs: 0, used: {} },
  );

const GIT: Named = { argv: ["git", "status"] };
const LINE: Named = { command: "Get-Service Spooler" };

describe("a rule that allows a program", () => {
  test.each([
    ["the words themselves", GIT, { argv: ["git", "status"] }],
    ["more words behind", GIT, { argv: ["git", "status", "--short", "a b"] }],
    ["an argv in command", GIT, { command: ["git", "status"] }],
    ["variables that the rule names", { ...GIT, env: ["CI", "LANG"] }, { argv: ["git", "status"], env: { CI: "1" } }],
    ["a line itself", LINE, { command: "Get-Service Spooler" }],
    ["a line with harmless words behind", LINE, { command: "Get-Service Spooler -Name x:\\a/b_c.d=1" }],
    ["a line whose own words are dangerous", { command: "a | b" }, { command: "a | b" }],
  ])("covers %s", (_, rule, input) => expect(asks(rule, "allow", input)).toBe(true));

  test.each([
    ["fewer words", GIT, { argv: ["git"] }],
    ["nothing", GIT, { argv: [] }],
    ["another word", GIT, { argv: ["git", "push"] }],
    ["the words in one", GIT, { argv: ["git status"] }],
    ["a word that only begins so", GIT, { argv: ["git", "status;rm"] }],
    ["other capitals", GIT, { argv: ["Git", "status"] }],
    ["another program of that name", GIT, { argv: ["/tmp/git", "status"] }],
    ["the program behind another", GIT, { argv: ["env", "git", "status"] }],
    ["no program", GIT, {}],
    ["a line", GIT, { command: "git status" }],
    ["a program and a line", GIT, { argv: ["git", "status"], command: "del /q *" }],
    ["a check of its own", GIT, { argv: ["git", "status"], check_argv: ["git", "status"] }],
    ["a check that is a script", GIT, { command: ["git", "status"], idempotent_check: "exit 0" }],
    ["a verification", GIT, { command: ["git", "status"], verify: "exit 0" }],
    ["a variable that changes what the name means", GIT, { argv: ["git", "status"], env: { PATH: "/tmp" } }],
    [
      "a variable beside those that the rule names",
      { ...GIT, env: ["CI"] },
      { argv: ["git", "status"], env: { CI: "1", LD_PRELOAD: "x" } },
    ],
    ["a line that only begins so", LINE, { command: "Get-Service Spoolerx" }],
    ["a space before the line", LINE, { command: " Get-Service Spooler" }],
    ["a second command", LINE, { command: "Get-Service Spooler & del x" }],
    ["a second command without a space", LINE, { command: "Get-Service Spooler&del x" }],
    ["a pipe", LINE, { command: "Get-Service Spooler | Stop-Service" }],
    ["a second command of PowerShell", LINE, { command: "Get-Service Spooler ; Remove-Item x" }],
    ["a second line", LINE, { command: "Get-Service Spooler \nRemove-Item x" }],
    ["a tab", LINE, { command: "Get-Service Spooler\tx" }],
    ["output into a file", LINE, { command: "Get-Service Spooler > x" }],
    ["a variable of cmd", LINE, { command: "Get-Service Spooler %ComSpec%" }],
    ["an expression of PowerShell", LINE, { command: "Get-Service Spooler $(Remove-Item x)" }],
    ["a parenthesis", LINE, { command: "Get-Service Spooler (Remove-Item x)" }],
    ["a quote", LINE, { command: 'Get-Service Spooler "x' }],
    ["a quote of Unicode, which PowerShell takes for one", LINE, { command: "Get-Service Spooler \u201cx\u201d" }],
    ["a dash of Unicode, which PowerShell takes for one", LINE, { command: "Get-Service Spooler \u2013Name" }],
    ["an escape of cmd", LINE, { command: "Get-Service Spooler ^& del" }],
    ["a backtick", LINE, { command: "Get-Service Spooler `; del" }],
    ["an argv for a line", LINE, { command: ["Get-Service Spooler"] }],
  ])("does not cover %s", (_, rule, input) => expect(asks(rule, "allow", input)).toBe(false));

  test("never covers a line that holds a separator behind its own words", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom(..."&|;<>`$(){}%^!\"'\n\r\t@#~*?[]"),
        fc.string(),
        (before, one, after) => {
          expect(asks(LINE, "allow", { command: `Get-Service Spooler ${before}${one}${after}` })).toBe(false);
        },
      ),
    );
  });

  test("covers what begins with its words, and nothing else", () => {
    const words = fc.array(fc.string(), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(words, fc.array(fc.string()), words, (argv, more, other) => {
        expect(asks({ argv }, "allow", { argv: [...argv, ...more] })).toBe(true);
        expect(asks({ argv }, "allow", { argv: other })).toBe(argv.every((word, index) => other[index] === word));
      }),
    );
  });
});

describe("a rule that denies a program", () => {
  test.each([
    ["the program with any words", { argv: ["rm"] }, { argv: ["rm", "-rf", "x"] }],
    ["the program as a check", { argv: ["rm"] }, { argv: ["true"], check_argv: ["rm", "x"] }],
    ["the program with variables", { argv: ["rm"] }, { argv: ["rm"], env: { A: "1" } }],
    ["a line in other capitals", { command: "del" }, { command: "  DEL /q x" }],
    ["a line with anything behind", { command: "del" }, { command: "del&x" }],
  ])("finds %s", (_, rule, input) => expect(asks(rule, "deny", input)).toBe(true));

  test.each([
    ["another program", { argv: ["rm"] }, { argv: ["ls", "rm"] }],
    ["a longer word", { command: "del" }, { command: "delete x" }],
    ["no program", { argv: ["rm"] }, {}],
  ])("leaves %s alone", (_, rule, input) => expect(asks(rule, "deny", input)).toBe(false));
});
