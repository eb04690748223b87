import { describe, expect, test } from "vitest";
import { z } from "zod";
import { secretText } from "../job/secret.ts";
import { exec } from "../job-type/exec/exec.ts";
import { httpRequest } from "../job-type/http-request/http-request.ts";
import { type FieldSchema, flagsOfSchema } from "./schema-flags.ts";

const flagsOf = (schema: z.ZodType) =>
  flagsOfSchema(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as FieldSchema);

describe("flags of a schema", () => {
  test.each<[string, z.ZodType, Record<string, unknown>]>([
    ["a text", z.string().describe("What."), { kind: "text", description: "What." }],
    ["an optional text", z.string().optional(), { kind: "text" }],
    ["a number", z.number(), { kind: "number" }],
    ["a whole number with a default", z.int().default(5), { kind: "number", default: "5" }],
    ["yes or no", z.boolean().optional(), { kind: "boolean" }],
    ["words", z.enum(["a", "b"]), { kind: "text", choices: ["a", "b"] }],
    ["one word", z.literal("exit").optional(), { kind: "text", choices: ["exit"] }],
    ["texts", z.array(z.string()), { kind: "texts" }],
    ["numbers", z.array(z.number()), { kind: "value" }],
    ["pairs", z.record(z.string(), z.string()), { kind: "pairs" }],
    ["pairs of numbers", z.record(z.string(), z.number()), { kind: "value" }],
    ["a nested object", z.object({ a: z.string() }), { kind: "value" }],
    ["a number or a list", z.union([z.int(), z.array(z.int())]), { kind: "value" }],
    ["a text or nothing", z.string().nullable().optional(), { kind: "text" }],
    ["a secret text", secretText(), { kind: "text", takesReference: true }],
    ["secret pairs", z.record(z.string(), secretText()), { kind: "pairs", takesReference: true }],
    ["anything", z.unknown(), { kind: "json", name: "some-field-json" }],
  ])("%s", (_, schema, expected) => {
    const [flag] = flagsOf(z.strictObject({ some_field: schema }));
    expect(flag).toMatchObject({ name: "some-field", field: "some_field", ...expected });
    expect(flag?.required === true).toBe(!schema.safeParse(undefined).success);
  });

  test("the built-in types", () => {
    const kinds = (schema: z.ZodType) => Object.fromEntries(flagsOf(schema).map(({ name, kind }) => [name, kind]));
    expect(kinds(exec.input)).toEqual({
      argv: "texts",
      cwd: "text",
      env: "pairs",
      stdin: "text",
      "check-argv": "texts",
      orphan: "text",
    });
    expect(kinds(httpRequest.input)).toEqual({
      method: "text",
      url: "text",
      headers: "pairs",
      body: "text",
      "expect-status": "value",
      redirects: "number",
    });
  });

  test("a schema without fields has no flags", () => {
    expect(flagsOf(z.unknown())).toEqual([]);
    expect(flagsOf(z.array(z.string()))).toEqual([]);
  });
});
