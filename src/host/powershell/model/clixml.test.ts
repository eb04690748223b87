import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { clixmlRecords, decodeClixml } from "./clixml.ts";

/** Runs of PowerShell 7.6.5: what it printed. */
const { cases } = z
  .object({
    cases: z.array(z.object({ name: z.string(), script: z.string(), output_format: z.string(), stderr: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL("./clixml-recordings.json", import.meta.url), "utf8")));

const DECODED: Readonly<Record<string, string>> = {
  error: "Write-Error: boom é\n",
  throw: "Exception: boom\n",
  streams: "WARNING: w\nVERBOSE: v\nDEBUG: d\n",
  native: "raw err\nerr\n",
  "unknown-command":
    "Get-Nope: The term 'Get-Nope' is not recognized as a name of a cmdlet, function, script file, or executable program.\n" +
    "Check the spelling of the name, or if a path was included, verify that the path is correct and try again.\n",
  "stop-preference": "Get-Item: Cannot find path '/srv/nowhere' because it does not exist.\n",
  "multiline-error": "Write-Error: one\ntwo\n",
};

test.each(cases.filter(({ output_format: format }) => format === "default"))(
  "what PowerShell recorded of $name is read",
  ({ name, stderr }) => {
    expect(decodeClixml(stderr)).toBe(DECODED[name] ?? "");
  },
);

test("text of programs before, between and behind CLIXML is kept", () => {
  const objs = (text: string): string => `<Objs Version="1.1.0.1" xmlns="x"><S S="Error">${text}</S></Objs>`;
  expect(decodeClixml(`a\n#< CLIXML\r\n${objs("one_x000D__x000A_")}${objs("two")}b#< CLIXML\n${objs("three")}`)).toBe(
    "a\none\r\ntwobthree",
  );
});

test("what only begins like CLIXML is text", () => {
  for (const text of ["#< CLIXML", "#< CLIXML\nhello", '#< CLIXML\n<Objs><S S="Error">cut', "a #< CLIX"]) {
    expect(decodeClixml(text)).toBe(text);
  }
});

test("entities are read before PowerShell's own escapes, once", () => {
  const xml =
    '#< CLIXML\n<Objs><S S="Error">&lt;a&gt; &amp;lt; _x005F_x000A_ _xD83D__xDE42_ &#x1F642; &#128578; &nope;</S></Objs>';
  expect(decodeClixml(xml)).toBe("<a> &lt; _x000A_ 🙂 🙂 🙂 &nope;");
});

const PIECES = ["_x000A_", "_x005F_", "_x", "&lt;", "<", "</S>", "#< CLIXML", "\n", "é", "🙂"];
const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));

test("any text comes back as PowerShell would have written it", () => {
  const encode = (text: string): string =>
    text
      .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML cannot hold
      .replace(/[\u0000-\u001f\ud800-\udfff]/g, (unit) => `_x${unit.charCodeAt(0).toString(16).padStart(4, "0")}_`);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(unit, fc.constantFrom(...PIECES))).map((units) => units.join("")),
      (text) => {
        const xml = `#< CLIXML\n<Objs><S S="Error">${encode(text)}</S></Objs>`;
        expect(clixmlRecords(xml)).toEqual([{ stream: "Error", text }]);
      },
    ),
  );
});

test("no text makes it throw", () => {
  const piece = fc.constantFrom(
    "#< CLIXML",
    "\n",
    "<Objs",
    ">",
    "</Objs>",
    '<S S="Error">',
    "</S>",
    "_x00",
    "41_",
    "é",
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      expect(typeof decodeClixml(pieces.join(""))).toBe("string");
    }),
  );
});
