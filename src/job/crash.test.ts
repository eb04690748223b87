import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crashRuleFor, decideReclaim, decideRecovery, isAsStrict, type LostAttempt, type Recovery } from "./crash.ts";
import type { AfterCrash } from "./rules.ts";

const rules: readonly AfterCrash[] = ["rerun", "check", "stop"];
const afterCrash = fc.constantFrom(...rules);
const lost = fc.record<LostAttempt>({
  cancelRequested: fc.boolean(),
  chargeCrash: fc.boolean(),
  crashes: fc.integer({ min: 0, max: 101 }),
  crashesMax: fc.integer({ min: 0, max: 100 }),
  afterCrash,
  recordsEffects: fc.boolean(),
  hasEffect: fc.boolean(),
});
const recovery = fc.record<Recovery>({
  recover: fc.boolean(),
  hasEffect: fc.boolean(),
  canAdopt: fc.boolean(),
  canCheck: fc.boolean(),
  adoptionFailed: fc.boolean(),
  sameHost: fc.boolean(),
  sinceLostMs: fc.integer({ min: 0, max: 2_000_000 }),
  adoptWaitMs: fc.integer({ min: 0, max: 2_000_000 }),
  afterCrash,
  crashes: fc.integer({ min: 0, max: 101 }),
  crashesMax: fc.integer({ min: 0, max: 100 }),
});

describe("what becomes of a job whose worker is gone", () => {
  test("every case is decided, and a crash is charged at most once", () => {
    fc.assert(
      fc.property(lost, (attempt) => {
        const decision = decideReclaim(attempt);
        expect(["cancelled", "failed", "again"]).toContain(decision.kind);
        if (decision.kind === "again") expect(decision.crashes).toBe(attempt.crashes + (attempt.chargeCrash ? 1 : 0));
      }),
    );
  });

  test("under stop nothing runs again blindly: only what was recorded is looked for, and what never started starts", () => {
    fc.assert(
      fc.property(lost, (attempt) => {
        const decision = decideReclaim({ ...attempt, afterCrash: "stop" });
        if (decision.kind !== "again") return;
        expect(decision.recover ? attempt.hasEffect : attempt.recordsEffects).toBe(true);
      }),
    );
  });

  test("poison ends: once its crashes are used up nothing without an effect comes back", () => {
    fc.assert(
      fc.property(lost, (attempt) => {
        fc.pre(!attempt.hasEffect && attempt.crashes + (attempt.chargeCrash ? 1 : 0) > attempt.crashesMax);
        expect(decideReclaim(attempt).kind).not.toBe("again");
      }),
    );
  });

  test("a cancel that was asked for ends it, unless something outside must be ended first", () => {
    fc.assert(
      fc.property(lost, (attempt) => {
        const decision = decideReclaim({ ...attempt, cancelRequested: true });
        expect(decision.kind).toBe(attempt.hasEffect ? "again" : "cancelled");
      }),
    );
  });

  test("who is not charged and may rerun always comes back", () => {
    fc.assert(
      fc.property(lost, (attempt) => {
        const spared = { ...attempt, chargeCrash: false, cancelRequested: false, afterCrash: "rerun" as const };
        fc.pre(attempt.crashes <= attempt.crashesMax);
        expect(decideReclaim(spared).kind).toBe("again");
      }),
    );
  });
});

describe("what the next attempt does first", () => {
  test("an attempt that has nothing to recover just runs", () => {
    fc.assert(
      fc.property(recovery, (case_) => {
        expect(decideRecovery({ ...case_, recover: false })).toEqual({ kind: "run" });
      }),
    );
  });

  test("under stop it never runs: it adopts, waits, or says that nothing is known", () => {
    fc.assert(
      fc.property(recovery, (case_) => {
        const { kind } = decideRecovery({ ...case_, recover: true, afterCrash: "stop" });
        expect(["adopt", "leave", "unknown", "crashed"]).toContain(kind);
      }),
    );
  });

  test("under check it runs only after a check has been asked", () => {
    fc.assert(
      fc.property(recovery, (case_) => {
        const { kind } = decideRecovery({ ...case_, recover: true, afterCrash: "check" });
        expect(["adopt", "leave", "check", "unknown", "crashed"]).toContain(kind);
        if (kind === "check") expect(case_.canCheck).toBe(true);
      }),
    );
  });

  test("adoption comes first where it is possible, and a machine away has its time", () => {
    fc.assert(
      fc.property(recovery, (case_) => {
        fc.pre(case_.hasEffect && case_.canAdopt && !case_.adoptionFailed);
        const { kind } = decideRecovery({ ...case_, recover: true });
        if (case_.sameHost) expect(kind).toBe("adopt");
        else expect(kind === "leave").toBe(case_.sinceLostMs < case_.adoptWaitMs);
      }),
    );
  });

  test("poison ends: beyond its crashes it adopts what there is, and runs nothing", () => {
    fc.assert(
      fc.property(recovery, (case_) => {
        fc.pre(case_.crashes > case_.crashesMax);
        expect(["adopt", "leave", "crashed"]).toContain(decideRecovery({ ...case_, recover: true }).kind);
      }),
    );
  });
});

describe("a crash rule", () => {
  test("as a table is looked up by the text of its field, and by nothing else", () => {
    const table = { field: "method", cases: { GET: "rerun", true: "check" }, otherwise: "stop" } as const;
    fc.assert(
      fc.property(fc.anything(), (input) => {
        expect(rules).toContain(crashRuleFor(table, input));
      }),
    );
    expect(crashRuleFor(table, { method: "GET" })).toBe("rerun");
    expect(crashRuleFor(table, { method: true })).toBe("check");
    expect(crashRuleFor(table, { method: "get" })).toBe("stop");
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"])
      expect(crashRuleFor(table, { method: name })).toBe("stop");
    expect(crashRuleFor(table, {})).toBe("stop");
    expect(crashRuleFor(table, null)).toBe("stop");
  });

  test("is as strict as another in one direction at least, and in both only when they are the same", () => {
    for (const a of rules)
      for (const b of rules) {
        expect(isAsStrict(a, b) || isAsStrict(b, a)).toBe(true);
        expect(isAsStrict(a, b) && isAsStrict(b, a)).toBe(a === b);
      }
  });
});
