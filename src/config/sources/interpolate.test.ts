// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is to be replaced
import fc from "fast-check";
import { expect, test } from "vitest";
import { interpolate } from "./interpolate.ts";

const ENV = { NAME: "ann", EMPTY: "" };

function refuse(reason: string): never {
  throw new RangeError(reason);
}

test.each([
  ["plain", "plain"],
  ["${NAME}", "ann"],
  ["a ${NAME} b ${NAME}", "a ann b ann"],
  ["$$", "$"],
  ["$${NAME}", "${NAME}"],
  ["$$${NAME}", "$ann"],
  ["C:\\$Recycle", "C:\\$Recycle"],
  ["$NAME", "$NAME"],
  ["${EMPTY}", ""],
  ["${EMPTY:-x}", "x"],
  ["${NONE:-x y:-z}", "x y:-z"],
  ["${NONE:-}", ""],
])("%s becomes %s", (text, expected) => {
  expect(interpolate(text, ENV, refuse)).toBe(expected);
});

test.each(["${", "${}", "${NAME", "${1A}", "${NA ME}", "${NAME-x}"])("%s is refused", (text) => {
  expect(() => interpolate(text, ENV, refuse)).toThrow("neither ${NAME} nor ${NAME:-default}");
});

test("an unset name is refused and named", () => {
  expect(() => interpolate("${NONE}", ENV, refuse)).toThrow("NONE, which is not set");
});

test("what a variable holds is not replaced again", () => {
  expect(interpolate("${A}", { A: "${NAME} $$ $&" }, refuse)).toBe("${NAME} $$ $&");
});

test("every text can be written with $$", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "A", ":", "-") }), (text) => {
      expect(interpolate([{ key: text.replaceAll("$", "$$$$") }], {}, refuse)).toEqual([{ key: text }]);
    }),
  );
});
