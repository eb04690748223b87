import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ERRORS } from "../error.ts";
import { OPERATIONS } from "./registry.ts";

const loaded = await Promise.all(OPERATIONS.map(async (entry) => ({ entry, operation: await entry.load() })));

test("names are unique, a noun and a verb or one word", () => {
  const names = OPERATIONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z-]+(\.[a-z-]+)?$/);
});

describe.each(loaded)("$entry.name", ({ entry, operation }) => {
  test("is what the registry says", () => {
    expect({ name: operation.name, summary: operation.summary }).toEqual({ name: entry.name, summary: entry.summary });
    expect(operation.summary).toMatch(/^[A-Z].*\.$/);
  });

  test("has shapes that can be published, and fields in snake_case", () => {
    for (const io of ["input", "output"] as const)
      expect(() => z.toJSONSchema(operation[io], { io, unrepresentable: "any" })).not.toThrow();
    for (const field of Object.keys(operation.input.shape)) expect(field).toMatch(/^[a-z][a-z0-9_]*$/);
    for (const field of [...(operation.positional ?? []), ...Object.keys(operation.flags ?? {})])
      expect(Object.keys(operation.input.shape)).toContain(field);
  });

  test("describes every field of its input", () => {
    for (const [field, schema] of Object.entries(operation.input.shape))
      expect(z.globalRegistry.get(schema as z.ZodType)?.description ?? "", field).not.toBe("");
  });

  test("throws what the table of errors has", () => {
    for (const code of operation.errors) expect(Object.keys(ERRORS)).toContain(code);
  });

  test("opens a database for writing only where it changes something", () => {
    if (operation.database === "write" || operation.database === "migrate") expect(operation.access).toBe("write");
  });
});

test("what decides about approvals, or who decides, is refused to agents and not offered to them", () => {
  const refusing = loaded.filter(({ operation }) => operation.refusesAgents === true).map(({ entry }) => entry.name);
  expect(refusing).toEqual(["approvals.approve", "approvals.reject", "approvals.revoke", "approvals.setup"]);
  const others = OPERATIONS.filter(({ name }) => name.startsWith("approvals.") && !refusing.includes(name));
  expect(others.map(({ name }) => name)).toEqual(["approvals.list", "approvals.show"]);
});
