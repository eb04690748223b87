import fc from "fast-check";
import { expect, test } from "vitest";
import { ownScript } from "./own-script.ts";
import { encodeRequest } from "./request.ts";

const ENVELOPE = { nonce: "n", timeoutMs: 1_000.2 };

test("a request is one line, and no text in it can be taken for a date", () => {
  const line = encodeRequest({ argv: ["tool", "2026-11-21T00:00:00Z", "a\nb", "/Date(1)/"] }, ENVELOPE);
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(JSON.parse(line)).toEqual({
    nonce: "n",
    timeout_ms: 1_001,
    argv: ["=tool", "=2026-11-21T00:00:00Z", "=a\nb", "=/Date(1)/"],
    arguments: '=2026-11-21T00:00:00Z "a\nb" /Date(1)/',
    builtin: false,
    cmd: null,
  });
});

test("every argv is one line that says the same", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 }), (words) => {
      const argv = ["tool", ...words].map((word) => word.replaceAll("\0", ""));
      const line = encodeRequest({ argv }, ENVELOPE);
      expect(line.split("\n")).toHaveLength(2);
      expect(JSON.parse(line).argv).toEqual(argv.map((word) => `=${word}`));
    }),
  );
});

test("a line goes as it is", () => {
  expect(JSON.parse(encodeRequest({ line: 'echo "a b"' }, ENVELOPE))).toMatchObject({
    line: '=echo "a b"',
    arguments: '="echo \\"a b\\""',
  });
});

test("a script goes with its name and marked texts", () => {
  const script = ownScript("clock");
  expect(JSON.parse(encodeRequest({ script, arg: { a: "x", b: 1, c: true, d: null } }, ENVELOPE))).toMatchObject({
    name: "clock",
    script: `=${script.text}`,
    arg: { a: "=x", b: 1, c: true, d: null },
  });
});

test.each([[[]], [[""]], [["a", "b\0c"]]])("argv %j is refused", (argv) => {
  expect(() => encodeRequest({ argv }, ENVELOPE)).toThrow(expect.objectContaining({ code: "ARGUMENT_UNSAFE" }));
});

test("a line with a NUL is refused", () => {
  expect(() => encodeRequest({ line: "a\0" }, ENVELOPE)).toThrow(expect.objectContaining({ code: "ARGUMENT_UNSAFE" }));
});
