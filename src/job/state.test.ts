import { describe, expect, test } from "vitest";
import { assertMove, isFinal, JOB_STATES, JobState, OUTCOMES, Outcome, STATES } from "./state.ts";

/** The moves of the table, written out once more: a change of the table has to be made twice. */
const MOVES = new Set(
  [
    ["scheduled", "queued cancelled expired failed"],
    ["queued", "running cancelled expired failed"],
    ["running", "waiting scheduled queued completed failed cancelled"],
    ["waiting", "scheduled queued cancelled failed expired"],
  ].flatMap(([from, to = ""]) => to.split(" ").map((state) => `${from} ${state}`)),
);
const pairs = JOB_STATES.flatMap((from) => JOB_STATES.map((to) => [from, to] as const));

describe("states of a job", () => {
  test.each(pairs.filter(([from, to]) => MOVES.has(`${from} ${to}`)))("%s to %s is a move", (from, to) => {
    expect(() => assertMove(from, to)).not.toThrow();
  });

  test.each(pairs.filter(([from, to]) => !MOVES.has(`${from} ${to}`)))("%s to %s is refused", (from, to) => {
    expect(() => assertMove(from, to)).toThrowError(
      expect.objectContaining({ code: "INTERNAL", message: expect.stringContaining(`from ${from} to ${to}`) }),
    );
  });

  test("every state is reached from somewhere, and only final ones lead nowhere", () => {
    const reached = new Set<string>(Object.values(STATES).flat());
    expect(JOB_STATES.filter((state) => !reached.has(state))).toEqual([]);
    expect(JOB_STATES.filter(isFinal)).toEqual(["completed", "failed", "cancelled", "expired"]);
  });

  test("from every state a job can come to an end", () => {
    const ends = (from: JobState, seen: readonly JobState[] = []): boolean =>
      isFinal(from) || STATES[from].some((next) => !seen.includes(next) && ends(next, [...seen, from]));
    expect(JOB_STATES.filter((state) => !ends(state))).toEqual([]);
  });

  test("an outcome goes with a final state, and no outcome is called as a state is", () => {
    for (const state of Object.values(OUTCOMES)) expect(isFinal(state)).toBe(true);
    expect(Object.keys(OUTCOMES).filter((outcome) => outcome in STATES)).toEqual([]);
  });

  test("the border takes the names of the tables and nothing else", () => {
    expect(JOB_STATES.every((state) => JobState.safeParse(state).success)).toBe(true);
    expect(Object.keys(OUTCOMES).every((outcome) => Outcome.safeParse(outcome).success)).toBe(true);
    expect(["", "done", "Queued", "toString"].filter((text) => JobState.safeParse(text).success)).toEqual([]);
  });
});
