import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANY_TERMS } from "../../test/support/approvals.ts";
import { judge } from "./judge.ts";
import type { SoundDecision, VerifiedDecision } from "./judgement.ts";

const OPEN = { usedAtMs: null, expiresAtMs: 1_000 };

function said(principal: string, more: Partial<SoundDecision> = {}): SoundDecision {
  const { level = "enforced" } = more;
  const reasons = level === "enforced" ? [] : [`${principal} has a plain key`];
  return { kind: "sound", principal, decision: "approved", reason: "", decidedAtMs: 1, level, reasons, ...more };
}

const decision: fc.Arbitrary<VerifiedDecision> = fc.oneof(
  fc
    .record({
      principal: fc.constantFrom("a", "b", "c"),
      decision: fc.constantFrom("approved" as const, "rejected" as const, "revoked" as const),
      level: fc.constantFrom("advisory" as const, "enforced" as const),
    })
    .map(({ principal, ...more }) => said(principal, more)),
  fc.record({
    kind: fc.constant("refused" as const),
    principal: fc.constantFrom("a", "b", "c"),
    decision: fc.constantFrom("approved" as const, "rejected" as const, "revoked" as const),
    code: fc.constantFrom("APPROVAL_SIGNATURE" as const, "APPROVER_UNKNOWN" as const),
    message: fc.constant("no"),
  }),
);
const terms = fc.record({
  approvers: fc.constant([]),
  quorum: fc.integer({ min: 1, max: 3 }),
  level: fc.constantFrom("advisory" as const, "enforced" as const),
});

describe("a judgement", () => {
  test("is a yes only of enough different principals of the level that is asked for, and of no no", () => {
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 6 }), terms, (decisions, asked) => {
        const { kind } = judge(OPEN, asked, decisions, 0);
        const sound = decisions.filter((one) => one.kind === "sound");
        const counted = sound.filter(
          (one) => one.decision === "approved" && (asked.level === "advisory" || one.level === "enforced"),
        );
        const isEnough = new Set(counted.map(({ principal }) => principal)).size >= asked.quorum;
        const has = (name: string): boolean => sound.some((one) => one.decision === name);
        const expected = has("rejected") ? "rejected" : has("revoked") ? "revoked" : isEnough ? "approved" : "pending";
        expect(kind).toBe(expected);
      }),
    );
  });

  test("does not depend on the order, nor on saying the same twice", () => {
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 6 }), terms, (decisions, asked) => {
        const { kind } = judge(OPEN, asked, decisions, 0);
        expect(judge(OPEN, asked, decisions.toReversed(), 0).kind).toBe(kind);
        expect(judge(OPEN, asked, [...decisions, ...decisions], 0).kind).toBe(kind);
      }),
    );
  });

  test("of what does not count is that it does not count, and why", () => {
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 6 }), terms, (decisions, asked) => {
        const refused = decisions.filter((one) => one.kind === "refused");
        const { refusals } = judge(OPEN, asked, decisions, 0);
        expect(refusals).toEqual(expect.arrayContaining(refused));
        expect(refusals.filter(({ code }) => code !== "APPROVAL_LEVEL").length).toBe(refused.length);
      }),
    );
  });

  test("names who decided, what they said and the last time", () => {
    const two = [said("b", { reason: "fine", decidedAtMs: 5 }), said("a", { reason: "yes", decidedAtMs: 3 })];
    expect(judge(OPEN, { ...ANY_TERMS, quorum: 2 }, two, 0)).toEqual({
      kind: "approved",
      decidedBy: ["b", "a"],
      reason: "fine; yes",
      decidedAtMs: 5,
      level: "enforced",
      reasons: [],
      refusals: [],
    });
    expect(judge(OPEN, { ...ANY_TERMS, quorum: 3 }, two, 0)).toEqual({
      kind: "pending",
      decidedBy: ["b", "a"],
      refusals: [],
    });
  });

  test("is enforced when enough of them are, else advisory with the reasons", () => {
    const mixed = [said("a"), said("b", { level: "advisory" })];
    expect(judge(OPEN, ANY_TERMS, mixed, 0)).toMatchObject({ level: "enforced", reasons: [] });
    expect(judge(OPEN, { ...ANY_TERMS, quorum: 2 }, mixed, 0)).toMatchObject({
      level: "advisory",
      reasons: ["b has a plain key"],
    });
  });

  test("takes an advisory no where only an enforced yes counts", () => {
    const strict = { ...ANY_TERMS, level: "enforced" } as const;
    const yes = said("a", { level: "advisory" });
    expect(judge(OPEN, strict, [yes], 0)).toMatchObject({
      kind: "pending",
      refusals: [{ code: "APPROVAL_LEVEL", principal: "a", message: expect.stringContaining("a has a plain key") }],
    });
    expect(judge(OPEN, strict, [{ ...yes, decision: "rejected" }], 0).kind).toBe("rejected");
  });

  test("after the expiry is expired; a no stays a no", () => {
    expect(judge(OPEN, ANY_TERMS, [said("a")], 1_000).kind).toBe("approved");
    expect(judge(OPEN, ANY_TERMS, [said("a")], 1_001).kind).toBe("expired");
    expect(judge(OPEN, ANY_TERMS, [said("a", { decision: "rejected" })], 1_001).kind).toBe("rejected");
  });

  test("of what was used in time stands, though it was taken back or expired since", () => {
    const used = { usedAtMs: 900, expiresAtMs: 1_000 };
    const back = said("b", { decision: "revoked" });
    expect(judge(used, ANY_TERMS, [said("a"), back], 5_000).kind).toBe("approved");
    expect(judge(used, ANY_TERMS, [back], 5_000).kind).toBe("pending");
    expect(judge({ ...used, usedAtMs: 1_001 }, ANY_TERMS, [said("a")], 5_000).kind).toBe("expired");
    expect(judge(OPEN, ANY_TERMS, [said("a"), back], 0).kind).toBe("revoked");
  });
});
