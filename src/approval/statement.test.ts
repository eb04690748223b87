import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { approvalOf } from "../../test/support/approvals.ts";
import {
  differingField,
  makeStatement,
  parseStatement,
  type Saying,
  signedDecision,
  statementText,
} from "./statement.ts";
import { subjectDigest } from "./subject.ts";

const saying: fc.Arbitrary<Saying> = fc.record({
  principal: fc.constantFrom("anna@example.com", "ops"),
  decision: fc.constantFrom("approved", "rejected", "revoked"),
  reason: fc.string({ unit: "binary", maxLength: 50 }),
  decidedAtMs: fc.integer({ min: 0, max: 8_000_000_000_000 }),
  policyDigest: fc.constantFrom(null, "a".repeat(64)),
});
const SAID: Saying = { principal: "ops", decision: "approved", reason: "", decidedAtMs: 0, policyDigest: null };

describe("a statement", () => {
  test("is read back as it was written, and has one spelling", () => {
    fc.assert(
      fc.property(saying, fc.string({ unit: "binary" }), (said, title) => {
        const approval = approvalOf({ subject: { ...approvalOf().subject, title } });
        const statement = makeStatement(approval, said);
        const text = statementText(statement);
        expect(parseStatement(text)).toEqual(statement);
        expect(differingField(statement, approval)).toBeUndefined();
        expect(signedDecision(statement, "s")).toEqual({
          principal: said.principal,
          decision: said.decision,
          reason: said.reason,
          decidedAtMs: said.decidedAtMs,
          statement: text,
          signature: "s",
        });
        for (const other of [`${text}\n`, ` ${text}`, text.replace('":', '": '), JSON.stringify(statement, null, 1)])
          expect(parseStatement(other)).toBeUndefined();
      }),
    );
  });

  test("is what the design says, and nothing else", () => {
    const text = statementText(makeStatement(approvalOf(), { ...SAID, decidedAtMs: 1 }));
    expect(Object.keys(JSON.parse(text))).toEqual([
      "approval_id",
      "asked_by",
      "decided_at",
      "decided_by",
      "decision",
      "expires_at",
      "policy_digest",
      "reason",
      "subject_digest",
      "subject_kind",
      "title",
    ]);
    expect(text).toContain('"asked_by":"agent:codex","decided_at":"1970-01-01T00:00:00.001Z"');
  });

  test("with a key twice, a further one or a missing one is none", () => {
    const text = statementText(makeStatement(approvalOf(), SAID));
    for (const other of [
      text.replace('"decision":"approved"', '"decision":"rejected","decision":"approved"'),
      text.replace("{", '{"a":1,'),
      text.replace('"policy_digest":null,', ""),
      text.replace("approved", "agreed"),
      "null",
      "",
      "{",
    ])
      expect(parseStatement(other)).toBeUndefined();
  });

  test("about another subject, another asker or another time says so", () => {
    const approval = approvalOf();
    const statement = makeStatement(approval, SAID);
    const { subject } = approval;
    const others = [
      ["approval_id", { approvalId: "01933b5e-7c00-7000-8000-0123456789ac" }],
      ["subject_digest", { subject: { ...subject, details: { input: 1 } } }],
      ["subject_digest", { subject: { ...subject, runNumber: 2 } }],
      ["subject_digest", { subject: { ...subject, jobId: approval.approvalId } }],
      ["subject_digest", { subject: { ...subject, position: 1 } }],
      ["expires_at", { expiresAtMs: approval.expiresAtMs + 1 }],
    ] as const;
    for (const [field, change] of others) expect(differingField(statement, { ...approval, ...change })).toBe(field);
    expect(differingField(statement, { ...approval, askedBy: { ...approval.askedBy, name: "x" } })).toBe(
      "subject_digest",
    );
    // A digest that stands in the record is not looked at.
    expect(differingField(statement, { ...approval, subjectDigest: "f".repeat(64) })).toBeUndefined();
  });
});

test("the digest of a subject is of what it says, not of how", () => {
  const { subject, askedBy } = approvalOf();
  const [a, b] = [
    { x: 1, y: [1, 2] },
    { y: [1, 2], x: 1 },
  ].map((details) => subjectDigest({ ...subject, details }, askedBy));
  expect(a).toBe(b);
  expect(a).toMatch(/^[0-9a-f]{64}$/);
});
