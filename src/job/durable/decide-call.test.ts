import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideCall, decideEnd } from "./decide-call.ts";
import type { Call, CallKind, CallOutcome, RecordedCall } from "./record.ts";

const KINDS: readonly CallKind[] = ["step", "sleep", "waitFor", "run", "enqueue", "now", "uuid", "transaction"];

const call = fc.record<Call>({
  kind: fc.constantFrom(...KINDS),
  name: fc.string({ maxLength: 5 }),
  digest: fc.string({ maxLength: 3 }),
});
const outcome = fc.oneof(
  fc.record({ kind: fc.constant("ok" as const), value: fc.jsonValue() }),
  fc.record({ kind: fc.constant("error" as const), error: fc.constant({ code: "X", message: "y" }) }),
  fc.constant({ kind: "timeout" as const }),
);

function recordedAt(position: number, made: Call, what: CallOutcome | undefined): RecordedCall {
  return { ...made, position, outcome: () => what };
}

describe("decideCall", () => {
  test("the same call is answered with what was recorded, or waits on", () => {
    fc.assert(
      fc.property(call, fc.integer({ min: 1 }), fc.option(outcome, { nil: undefined }), (made, position, what) => {
        const decision = decideCall({
          call: made,
          position,
          recorded: recordedAt(position, made, what),
          positionsMax: 9,
        });
        expect(decision).toEqual(what === undefined ? { kind: "pending" } : { kind: "answer", outcome: what });
      }),
    );
  });

  test("any other call is a mismatch that says position, recorded and found", () => {
    fc.assert(
      fc.property(call, call, fc.integer({ min: 1 }), (made, other, position) => {
        fc.pre(made.kind !== other.kind || made.name !== other.name || made.digest !== other.digest);
        const decision = decideCall({
          call: other,
          position,
          recorded: recordedAt(position, made, { kind: "timeout" }),
          positionsMax: 9,
        });
        expect(decision).toMatchObject({ kind: "fail", error: { code: "NON_DETERMINISTIC", details: { position } } });
      }),
    );
  });

  test("beyond the record a call is made, up to the limit, where only continueAs goes on", () => {
    fc.assert(
      fc.property(call, fc.integer({ min: 1, max: 20 }), (made, position) => {
        const { kind } = decideCall({ call: made, position, recorded: undefined, positionsMax: 10 });
        expect(kind).toBe(position > 10 ? "fail" : "issue");
        const last: Call = { kind: "continueAs", name: "", digest: "" };
        expect(decideCall({ call: last, position, recorded: undefined, positionsMax: 10 }).kind).toBe("issue");
      }),
    );
  });

  test("a version that the run passed before takes no position", () => {
    const version: Call = { kind: "version", name: "v", digest: "" };
    const recorded = recordedAt(1, { kind: "step", name: "a", digest: "" }, { kind: "timeout" });
    expect(decideCall({ call: version, position: 1, recorded, positionsMax: 9 })).toEqual({ kind: "older" });
  });
});

describe("decideEnd", () => {
  test("code that ends before the last recorded call is a mismatch, at it or after it is not", () => {
    fc.assert(
      fc.property(call, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 12 }), (made, newest, next) => {
        const error = decideEnd(next, recordedAt(newest, made, { kind: "timeout" }));
        if (next > newest) expect(error).toBe(undefined);
        else expect(error).toMatchObject({ code: "NON_DETERMINISTIC", details: { position: next } });
      }),
    );
    expect(decideEnd(1, undefined)).toBe(undefined);
  });
});
