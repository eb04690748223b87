import fc from "fast-check";
import { expect, test } from "vitest";
import { quoteArgument, splitArguments, splitCommandLine } from "./command-line.ts";

// The table of https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
test.each([
  [`"a b c" d e`, ["a b c", "d", "e"]],
  [String.raw`"ab\"c" "\\" d`, [`ab"c`, "\\", "d"]],
  [String.raw`a\\\b d"e f"g h`, [String.raw`a\\\b`, "de fg", "h"]],
  [String.raw`a\\\"b c d`, [String.raw`a\"b`, "c", "d"]],
  [String.raw`a\\\\"b c" d e`, [String.raw`a\\b c`, "d", "e"]],
  [`a"b"" c d`, [`ab" c d`]],
])("%s is split as the documentation says", (line, words) => {
  expect(splitArguments(line)).toEqual(words);
});

test.each([
  ["", [""]],
  ["prog", ["prog"]],
  [`"C:\\Program Files\\x.exe" a`, ["C:\\Program Files\\x.exe", "a"]],
  // No escapes in the name: the quote closes behind the backslash.
  [String.raw`"C:\dir\" a`, ["C:\\dir\\", "a"]],
  [`prog "" "a"`, ["prog", "", "a"]],
  ["prog a\tb", ["prog", "a", "b"]],
])("%s: the name has rules of its own", (line, words) => {
  expect(splitCommandLine(line)).toEqual(words);
});

const argument = fc.string({ unit: fc.constantFrom("a", " ", "\\", '"', "\t", "%", "^", "&", "ü", "€") });

test("what is quoted is split into the same arguments", () => {
  fc.assert(
    fc.property(fc.array(argument), (args) => {
      expect(splitArguments(args.map(quoteArgument).join(" "))).toEqual(args);
    }),
  );
});

test("every way to quote an argument means that argument", () => {
  const mask = fc.infiniteStream(fc.boolean());
  fc.assert(
    fc.property(fc.array(fc.tuple(argument, mask)), (args) => {
      const line = args.map(([text, quotes]) => quoteInPieces(text, quotes)).join("  ");
      expect(splitArguments(line)).toEqual(args.map(([text]) => text));
    }),
    { numRuns: 1_000 },
  );
});

/**
 * An independent writer of the rules: opens and closes a quoted part before any character where the mask says so (and
 * must be inside one for a blank), escapes every quote, and doubles the backslashes that a quote of either kind follows.
 */
function quoteInPieces(text: string, mask: Iterator<boolean>): string {
  const pieces: string[] = [];
  let isQuoted = false;
  for (const char of text) {
    const wants = mask.next().value === true || char === " " || char === "\t";
    if (wants !== isQuoted) pieces.push("toggle");
    isQuoted = wants;
    pieces.push(char);
  }
  if (text === "") return '""';
  if (isQuoted) pieces.push("toggle");
  let out = "";
  for (const [index, piece] of pieces.entries()) {
    if (piece === '"') out += '\\"';
    else if (piece === "toggle") out += '"';
    else if (piece === "\\") out += quoteFollows(pieces, index) ? "\\\\" : "\\";
    else out += piece;
  }
  return out;
}

function quoteFollows(pieces: readonly string[], index: number): boolean {
  const next = pieces.slice(index).find((piece) => piece !== "\\");
  return next === "toggle" || next === '"';
}
