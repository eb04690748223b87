import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantsBetween, parseCron } from "./cron.ts";
import { DUE_SLOTS_MAX, decideSlots, type SlotsQuestion } from "./decide-slots.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Slots at full hours; `at(3)` is the one at 03:00. */
const hourly = parseCron("0 * * * *");
const at = (hour: number, plusMs = 0): number => Date.UTC(2026, 0, 1, hour) + plusMs;

const ask = (question: Partial<SlotsQuestion>) =>
  decideSlots({
    cron: hourly,
    overlap: "skip",
    catchUp: "once",
    lastInstantMs: at(0),
    nowMs: at(1),
    previousUnfinished: false,
    graceMs: MINUTE_MS,
    ...question,
  });

describe("slots on time", () => {
  test("nothing is due before the next slot", () => {
    expect(ask({ nowMs: at(1, -1) })).toEqual({
      cancelPrevious: false,
      fire: [],
      skipped: [],
      lastInstantMs: at(0),
      nextInstantMs: at(1),
    });
  });

  test("a slot is due at its very instant and fires once", () => {
    const first = ask({ nowMs: at(1) });
    expect(first).toMatchObject({
      fire: [{ instantMs: at(1), missed: 0 }],
      lastInstantMs: at(1),
      nextInstantMs: at(2),
    });
    expect(ask({ nowMs: at(1, 5), lastInstantMs: first.lastInstantMs }).fire).toEqual([]);
  });

  test("a clock that is set back fires no slot again and waits for the next new one", () => {
    expect(ask({ lastInstantMs: at(5), nowMs: at(2, 1) })).toMatchObject({
      fire: [],
      skipped: [],
      lastInstantMs: at(5),
      nextInstantMs: at(6),
    });
  });
});

describe("overlap", () => {
  const three = { nowMs: at(3), graceMs: 3 * HOUR_MS };

  test("skip: an unfinished job keeps the slot from firing", () => {
    expect(ask({ previousUnfinished: true })).toMatchObject({
      fire: [],
      cancelPrevious: false,
      skipped: [{ instantMs: at(1), reason: "overlap" }],
      lastInstantMs: at(1),
    });
  });

  test("skip: of several slots the first fires and the others would overlap it", () => {
    expect(ask(three)).toMatchObject({
      fire: [{ instantMs: at(1), missed: 0 }],
      skipped: [
        { instantMs: at(2), reason: "overlap" },
        { instantMs: at(3), reason: "overlap" },
      ],
    });
  });

  test("allow: every slot fires, whatever is unfinished", () => {
    const { fire, skipped } = ask({ ...three, overlap: "allow", previousUnfinished: true });
    expect(fire.map((slot) => slot.instantMs)).toEqual([at(1), at(2), at(3)]);
    expect(skipped).toEqual([]);
  });

  test("cancel-previous: the newest slot fires and the unfinished job is cancelled", () => {
    expect(ask({ ...three, overlap: "cancel-previous", previousUnfinished: true })).toMatchObject({
      cancelPrevious: true,
      fire: [{ instantMs: at(3), missed: 0 }],
      skipped: [
        { instantMs: at(1), reason: "superseded" },
        { instantMs: at(2), reason: "superseded" },
      ],
    });
  });

  test("cancel-previous: nothing is cancelled when nothing fires", () => {
    const question = {
      overlap: "cancel-previous",
      catchUp: "skip",
      previousUnfinished: true,
      nowMs: at(1, HOUR_MS / 2),
    } as const;
    expect(ask(question)).toMatchObject({ cancelPrevious: false, fire: [], skipped: [{ reason: "missed" }] });
  });
});

describe("catch-up", () => {
  const late = { nowMs: at(3, 30 * MINUTE_MS) };

  test("once: one job at the newest missed slot stands for all of them", () => {
    expect(ask(late)).toMatchObject({ fire: [{ instantMs: at(3), missed: 3 }], skipped: [], lastInstantMs: at(3) });
  });

  test("once: a slot on time stands for the missed ones too", () => {
    expect(ask({ nowMs: at(3) })).toMatchObject({ fire: [{ instantMs: at(3), missed: 2 }], skipped: [] });
  });

  test("once: an unfinished job keeps the catch-up from firing under overlap skip", () => {
    const { fire, skipped } = ask({ ...late, previousUnfinished: true });
    expect(fire).toEqual([]);
    expect(skipped.map((slot) => slot.reason)).toEqual(["overlap", "overlap", "overlap"]);
  });

  test("skip: missed slots fire nothing", () => {
    expect(ask({ ...late, catchUp: "skip" })).toMatchObject({
      fire: [],
      skipped: [1, 2, 3].map((hour) => ({ instantMs: at(hour), reason: "missed" })),
      lastInstantMs: at(3),
      nextInstantMs: at(4),
    });
  });

  test("a slot exactly as late as the grace is still on time", () => {
    expect(ask({ catchUp: "skip", nowMs: at(1, MINUTE_MS) }).fire).toHaveLength(1);
    expect(ask({ catchUp: "skip", nowMs: at(1, MINUTE_MS + 1) }).fire).toHaveLength(0);
  });

  test("years of minutes that nobody fired are counted up to the limit, and the newest one fires", () => {
    const decision = ask({
      cron: parseCron("* * * * *"),
      nowMs: at(0, 3 * 366 * 24 * HOUR_MS + 30_000),
      graceMs: 1_000,
    });
    expect(decision.fire).toEqual([{ instantMs: at(0, 3 * 366 * 24 * HOUR_MS), missed: DUE_SLOTS_MAX }]);
    expect(decision.skipped).toEqual([]);
  });
});

describe("every question", () => {
  const lines = ["0 * * * *", "*/7 * * * *", "30 2 * * *", "0 9 * * MON"];
  const question: fc.Arbitrary<SlotsQuestion> = fc.record({
    cron: fc.constantFrom(...lines.map((line) => parseCron(line, "Europe/Berlin"))),
    overlap: fc.constantFrom("skip", "allow", "cancel-previous"),
    catchUp: fc.constantFrom("once", "skip"),
    lastInstantMs: fc.integer({ min: Date.UTC(2026, 2, 28), max: Date.UTC(2026, 2, 30) }),
    nowMs: fc.integer({ min: Date.UTC(2026, 2, 28), max: Date.UTC(2026, 3, 1) }),
    previousUnfinished: fc.boolean(),
    graceMs: fc.constantFrom(0, 1_000, MINUTE_MS, 2 * HOUR_MS),
  });

  test("each due slot is fired, counted as missed or skipped, exactly once", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const { fire, skipped } = decideSlots(asked);
        const due = instantsBetween(asked.cron, asked.lastInstantMs, asked.nowMs, 100_000);
        const named = [...fire, ...skipped].map((slot) => slot.instantMs).sort((a, b) => a - b);
        expect(new Set(named).size).toBe(named.length);
        for (const instantMs of named) expect(due).toContain(instantMs);
        // A fired late slot is counted in its own `missed`.
        const firedLate = fire.filter((slot) => asked.nowMs - slot.instantMs > asked.graceMs).length;
        const counted = fire.reduce((sum, slot) => sum + slot.missed, 0);
        expect(fire.length - firedLate + counted + skipped.length).toBe(due.length);
      }),
      { numRuns: 500 },
    );
  });

  test("the choices of overlap and catch-up are kept", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const { fire, cancelPrevious } = decideSlots(asked);
        const isLate = (instantMs: number) => asked.nowMs - instantMs > asked.graceMs;
        expect(fire.filter((slot) => isLate(slot.instantMs)).length).toBeLessThanOrEqual(
          asked.catchUp === "once" ? 1 : 0,
        );
        expect(fire.filter((slot) => slot.missed > 0).length).toBeLessThanOrEqual(asked.catchUp === "once" ? 1 : 0);
        if (asked.overlap !== "allow") expect(fire.length).toBeLessThanOrEqual(1);
        if (asked.overlap === "skip" && asked.previousUnfinished) expect(fire).toEqual([]);
        expect(cancelPrevious).toBe(asked.overlap === "cancel-previous" && asked.previousUnfinished && fire.length > 0);
      }),
      { numRuns: 500 },
    );
  });

  test("whatever the clock does, no slot fires twice and the last instant never goes back", () => {
    const clock = fc.array(fc.integer({ min: Date.UTC(2026, 2, 28), max: Date.UTC(2026, 3, 1) }), { maxLength: 20 });
    fc.assert(
      fc.property(question, clock, (asked, times) => {
        const fired: number[] = [];
        let { lastInstantMs } = asked;
        for (const nowMs of times) {
          const decision = decideSlots({ ...asked, lastInstantMs, nowMs });
          for (const { instantMs } of decision.fire) {
            expect(instantMs).toBeGreaterThan(lastInstantMs);
            expect(instantMs).toBeLessThanOrEqual(nowMs);
            fired.push(instantMs);
          }
          expect(decision.lastInstantMs).toBeGreaterThanOrEqual(lastInstantMs);
          expect(decision.nextInstantMs).toBeGreaterThan(Math.max(nowMs, lastInstantMs));
          lastInstantMs = decision.lastInstantMs;
        }
        expect(new Set(fired).size).toBe(fired.length);
      }),
    );
  });
});
