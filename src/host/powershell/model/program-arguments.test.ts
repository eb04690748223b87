import fc from "fast-check";
import { expect, test } from "vitest";
import { splitArguments } from "../../../../test/support/windows-simulator/command-line.ts";
import { isBuiltin, quoteForCmd, quoteForProgram } from "./program-arguments.ts";

const word = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom('"', "\\", " ", "\t", "a", "%", "^", "&", "\n") }),
);

test("what the C runtime of a program reads is what was given", () => {
  expect(quoteForProgram(["a", "b c", "", 'say "hi"', "C:\\dir\\", "C:\\my dir\\", '\\"'])).toBe(
    'a "b c" "" "say \\"hi\\"" C:\\dir\\ "C:\\my dir\\\\" "\\\\\\""',
  );
  fc.assert(
    fc.property(fc.array(word), (args) => {
      expect(splitArguments(quoteForProgram(args))).toEqual(args);
    }),
    { numRuns: 1_000 },
  );
});

test("cmd's own commands are known whatever their case", () => {
  expect(["echo", "DIR", "mklink", "ver"].every(isBuiltin)).toBe(true);
  expect(["echo.exe", "ping", "", "echo "].some(isBuiltin)).toBe(false);
});

test("for cmd a plain word stands as it is, so that switches are switches and echo prints no quotes", () => {
  expect(quoteForCmd("echo", ["hello", "/b", "C:\\a.txt"])).toBe(" hello /b C:\\a.txt");
  expect(quoteForCmd("echo", [])).toBe("");
});

test("for cmd everything else is quoted, and for a batch file also what a program behind it reads", () => {
  expect(quoteForCmd("echo", ["a b", "", "a&b", "a^b", "a;b", "(x)"])).toBe(' "a b" "" "a&b" "a^b" "a;b" "(x)"');
  expect(quoteForCmd("dir", ["C:\\my dir\\"])).toBe(' "C:\\my dir\\"');
  expect(quoteForCmd("npm", ["C:\\my dir\\"])).toBe(' "C:\\my dir\\\\"');
});

test.each(['a"b', "%PATH%", "a\rb", "a\nb"])("for cmd %j cannot be kept as it is", (arg) => {
  expect(quoteForCmd("echo", ["fine", arg])).toBeUndefined();
});

test("for cmd no character that it acts on stands outside quotes, and none that it acts on inside stands at all", () => {
  fc.assert(
    fc.property(fc.array(word), (args) => {
      const text = quoteForCmd("npm", args);
      if (text === undefined) return;
      expect(text.replace(/"[^"]*"/g, "")).toMatch(/^[A-Za-z0-9_./\\:@+ -]*$/);
      expect(text).not.toMatch(/[%\r\n]/);
    }),
  );
});
