import { expect, test } from "vitest";
import { parseLine } from "./parse.ts";
import type { Command } from "./syntax.ts";

/** A line as brackets, so that a table can be read. */
function shape(command: Command): string {
  switch (command.kind) {
    case "nothing":
      return "-";
    case "simple":
      return `<${command.text}>${command.redirections.map((one) => JSON.stringify(Object.values(one).slice(1))).join("")}`;
    case "chain":
      return `(${shape(command.left)} ${command.operator} ${shape(command.right)})`;
    case "pipe":
      return command.sides.map((side) => `{${side}}`).join("|");
    case "group":
      return `[${shape(command.body)}]`;
    case "if": {
      const otherwise = command.otherwise === undefined ? "" : ` else ${shape(command.otherwise)}`;
      return `if${command.isNegated ? " not" : ""} ${JSON.stringify(command.condition)} ${shape(command.then)}${otherwise}`;
    }
  }
}

test.each([
  ["echo a", "<echo a>"],
  ["echo a & echo b", "(<echo a > & <echo b>)"],
  ["a && b || c & d", "(((<a > && <b >) || <c >) & <d>)"],
  ["a || b && c", "(<a > || (<b > && <c>))"],
  ["a | b | c", "{a}|{b}|{c}"],
  ["a | b & c", "({a}|{b} & <c>)"],
  ['echo "a & b" c', '<echo "a & b" c>'],
  ["echo a ^& b", "<echo a & b>"],
  ['echo "a ^& b"', '<echo "a ^& b">'],
  ['echo ^"a & b', '(<echo "a > & <b>)'],
  ["echo a^^b", "<echo a^b>"],
  ["echo a > out.txt", '<echo a >[1,">","out.txt"]'],
  ['echo a>>"my file" b', '<echo a b>[1,">>","my file"]'],
  ["a 2>&1 >x", '<a  >[2,1][1,">","x"]'],
  ["a2>x", '<a2>[1,">","x"]'],
  ["sort < in", '<sort >[0,"<","in"]'],
  ["(echo a & echo b) > x", "[(<echo a > & <echo b>)]"],
  ["echo a)", "<echo a)>"],
  ["(echo a)", "[<echo a>]"],
  ["@echo a", "<echo a>"],
  ["a &", "<a >"],
  ["rem a & b", "-"],
  ["if a==b x", 'if {"kind":"compare","operator":"==","left":"a","right":"b"} <x>'],
  ["if not exist a (x) else (y)", 'if not {"kind":"exist","path":"a"} [<x>] else [<y>]'],
  ["if errorlevel 1 a & b", 'if {"kind":"errorlevel","atLeast":"1"} (<a > & <b>)'],
])("%s", (line, expected) => {
  expect(shape(parseLine(line))).toBe(expected);
});

test.each(["& a", "a & & b", "a || ", "| a", "(a", "a >", "if a b c"])("%s is refused", (line) => {
  expect(() => parseLine(line)).toThrow(/was unexpected at this time|syntax of the command is incorrect/);
});

test("what is not modelled says so", () => {
  expect(() => parseLine("for %i in (a) do b")).toThrow(/does not model FOR/);
});
