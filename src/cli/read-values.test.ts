import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Flag, FlagKind } from "./flag.ts";
import { readValues } from "./read-values.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "windlass-values-"));
  writeFileSync(join(cwd, "input.json"), '{"a":1}');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

async function read(kind: FlagKind, texts: readonly (string | boolean)[], more: Partial<Flag> = {}): Promise<unknown> {
  const flag: Flag = { name: "flag", kind, description: "", ...more };
  const values = await readValues(new Map([["flag", texts]]), [flag], {
    cwd,
    stdin: Readable.from(['{"stdin":true}']),
  });
  return values.get("flag");
}

describe("values of flags", () => {
  test.each<[FlagKind, readonly (string | boolean)[], unknown]>([
    ["text", ["a b"], "a b"],
    ["text", ['{"$secret":"A"}'], '{"$secret":"A"}'],
    ["number", ["3"], 3],
    ["number", ["-1.5"], -1.5],
    ["boolean", [true], true],
    ["boolean", [false], false],
    ["texts", ["a", "b"], ["a", "b"]],
    ["pairs", ["a=b", "c=", "d=e=f"], { a: "b", c: "", d: "e=f" }],
    ["json", ['{"a":[1]}'], { a: [1] }],
    ["json", ["-"], { stdin: true }],
    ["json", ["@input.json"], { a: 1 }],
    ["value", ["404"], 404],
    ["value", ["[200,404]"], [200, 404]],
    ["value", ["text"], "text"],
  ])("%s %j is %j", async (kind, texts, value) => {
    expect(await read(kind, texts)).toEqual(value);
  });

  test("a secret stands by reference where the schema takes one", async () => {
    const reference = { $secret: "TOKEN" };
    expect(await read("text", ['{"$secret":"TOKEN"}'], { takesReference: true })).toEqual(reference);
    expect(await read("pairs", ['A={"$secret": "TOKEN"}', "B=c"], { takesReference: true })).toEqual({
      A: reference,
      B: "c",
    });
  });

  test.each<[FlagKind, string, string]>([
    ["number", "x", '--flag takes a number, not "x"'],
    ["number", "", "--flag takes a number"],
    ["number", "1e3", "--flag takes a number"],
    ["pairs", "a", '--flag takes key=value, not "a"'],
    ["pairs", "=b", "--flag takes key=value"],
    ["json", "@missing.json", "missing.json cannot be read (ENOENT)"],
  ])("%s %j is refused as USAGE", async (kind, text, part) => {
    await expect(read(kind, [text])).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining(part) });
  });

  test.each(["{a", "", "top-secret-password", '{"password":"top-secret-password"', '["top-secret-password",}'])(
    "what is no JSON is not repeated: %j",
    async (text) => {
      const error = await read("json", [text]).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "USAGE", message: expect.stringMatching(/^--flag is not JSON \(/) });
      expect(String(error)).not.toContain("secret-password");
    },
  );
});
