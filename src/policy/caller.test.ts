import { describe, expect, test } from "vitest";
import { callerOf } from "./caller.ts";

const facts = { onTerminal: false, user: "anna", variable: undefined, asked: undefined, via: "library" } as const;

describe("who calls", () => {
  test("a person at a terminal, else the account that runs unattended", () => {
    expect(callerOf({ ...facts, onTerminal: true })).toEqual({ kind: "person", name: "anna", via: "library" });
    expect(callerOf(facts)).toEqual({ kind: "unattended", name: "anna", via: "library" });
  });

  test("the environment makes it stricter, never freer", () => {
    expect(callerOf({ ...facts, variable: "agent:codex" })).toMatchObject({ kind: "agent", name: "codex" });
    expect(callerOf({ ...facts, variable: "person:root" })).toMatchObject({ kind: "unattended", name: "anna" });
  });

  test("the program may say who it is only when that is stricter", () => {
    expect(callerOf({ ...facts, asked: "agent:codex" })).toEqual({ kind: "agent", name: "codex", via: "library" });
    expect(callerOf({ ...facts, asked: { kind: "agent", name: "x" } })).toMatchObject({ kind: "agent", name: "x" });
    for (const asked of ["person:anna", "unattended:bob", "robot:x", "agent:*"])
      expect(() => callerOf({ ...facts, asked })).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
