import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACTOR_KINDS, ACTOR_VIAS, Actor, formatActor, parseActor, strictest, strictnessOf, tighten } from "./actor.ts";

const name = fc.stringMatching(/^[a-z0-9][a-z0-9 @._\\:-]{0,20}[a-z0-9]$/);
const actor: fc.Arbitrary<Actor> = fc.record({
  kind: fc.constantFrom(...ACTOR_KINDS),
  name,
  via: fc.constantFrom(...ACTOR_VIAS),
});

describe("actors", () => {
  test("from free to strict they are person, schedule, job, unattended, agent", () => {
    expect(ACTOR_KINDS.map((kind) => strictnessOf({ kind }))).toEqual([0, 1, 2, 3, 4]);
    expect(ACTOR_KINDS).toEqual(["person", "schedule", "job", "unattended", "agent"]);
  });

  test("the stricter of two is one of them, the first of equals, whatever the order of asking", () => {
    fc.assert(
      fc.property(actor, actor, actor, (a, b, c) => {
        expect([a, b]).toContain(strictest(a, b));
        expect(strictnessOf(strictest(a, b))).toBe(Math.max(strictnessOf(a), strictnessOf(b)));
        expect(strictest(a, { ...a, name: "another" })).toBe(a);
        expect(strictest(strictest(a, b), c)).toBe(strictest(a, strictest(b, c)));
      }),
    );
  });

  test("what is written is read back, and passes the border", () => {
    fc.assert(
      fc.property(actor, (one) => {
        expect(parseActor(formatActor(one))).toEqual({ kind: one.kind, name: one.name });
        expect(Actor.parse(one)).toEqual(one);
      }),
    );
  });

  test.each([
    ["", "write kind:name"],
    ["agent", "write kind:name"],
    ["robot:x", "kinds are person, schedule, job, unattended, agent"],
    ["Agent:x", "write kind:name"],
    [":x", "write kind:name"],
    ["agent:", "the name must not be empty"],
    ["agent: x", "or begin or end with a space"],
    ["agent:a\nb", "must not hold control characters"],
    ["agent:\u202ex", "must not hold control characters"],
    ["agent:*", "must not hold control characters, * or ?"],
    [`agent:${"x".repeat(129)}`, "the name is longer than 128 characters"],
  ])("%j is refused as USAGE", (text, part) => {
    expect(() => parseActor(text)).toThrowError(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(part) }),
    );
  });
});

describe("an explicit actor", () => {
  const base: Actor = { kind: "unattended", name: "sam", via: "cli" };

  test("makes a caller stricter and keeps the way in", () => {
    expect(tighten(base, parseActor("agent:codex"))).toEqual({ kind: "agent", name: "codex", via: "cli" });
  });

  test("that is the caller's own changes nothing", () => {
    expect(tighten(base, parseActor("unattended:sam"))).toBe(base);
  });

  test.each(["person:sam", "job:1", "unattended:root"])("%s is refused for unattended:sam", (text) => {
    expect(() => tighten(base, parseActor(text))).toThrowError(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(`unattended:sam`) }),
    );
  });

  test("never makes anybody freer or somebody else of the same kind", () => {
    fc.assert(
      fc.property(actor, actor, (caller, asked) => {
        try {
          const result = tighten(caller, asked);
          if (result !== caller) expect(strictnessOf(result)).toBeGreaterThan(strictnessOf(caller));
          expect(result.via).toBe(caller.via);
        } catch (error) {
          expect(error).toMatchObject({ code: "USAGE" });
          expect(strictnessOf(asked)).toBeLessThanOrEqual(strictnessOf(caller));
        }
      }),
    );
  });
});
