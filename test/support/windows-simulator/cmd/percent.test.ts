import { expect, test } from "vitest";
import { Environment } from "../environment.ts";
import { expandPercent } from "./percent.ts";

const variables = new Environment({
  NAME: "value",
  Path: "C:\\a;C:\\b",
  "ProgramFiles(x86)": "C:\\P (x86)",
  EMPTY: "",
});

test.each([
  ["%NAME%", "value"],
  ["%name%", "value"],
  ['"%NAME%"', '"value"'],
  ["^%NAME^%", "^%NAME^%"],
  ["%NOPE%", "%NOPE%"],
  ["%NOPE%NAME%", "%NOPEvalue"],
  ["100% sure", "100% sure"],
  ["%%NAME%%", "%value%"],
  ["%ProgramFiles(x86)%", "C:\\P (x86)"],
  ["%NAME:~1,2%", "al"],
  ["%NAME:~-2%", "ue"],
  ["%NAME:~0,-1%", "valu"],
  ["%NAME:a=o%", "volue"],
  ["%Path:;=|%", "C:\\a|C:\\b"],
  ["%NAME:*l=L%", "Lue"],
])("on a command line %s is %s", (line, expanded) => {
  expect(expandPercent(line, variables)).toBe(expanded);
});

test.each([
  ["%1-%2-%3", 'a-"b c"-'],
  ["%*", 'a "b c"'],
  ["%~2", "b c"],
  ["%~dp0", "C:\\Program Files\\"],
  ["%~nx0", "run.cmd"],
  ["%~f1", "C:\\work\\a"],
  ["%0", "run"],
  ["%%NAME%%", "%NAME%"],
  ["%NOPE%|", "|"],
  ["100%", "100"],
])("in a batch file %s is %s", (line, expanded) => {
  const batch = {
    words: ["run", "a", '"b c"'],
    rest: 'a "b c"',
    path: "C:\\Program Files\\run.cmd",
    cwd: "C:\\work",
  };
  expect(expandPercent(line, variables, batch)).toBe(expanded);
});
