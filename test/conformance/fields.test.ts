import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { STATES } from "../../src/job/state.ts";
import { type CaseName, DEFINITION_CASES, MOVE_CASES, OPTION_CASES, SCHEDULE_CASES } from "./fields.ts";

const sources = new Map(
  globSync(join(import.meta.dirname, "*.test.ts")).map((path) => [
    basename(path, ".test.ts"),
    // Titles may be broken over lines by nothing but the formatter.
    readFileSync(path, "utf8"),
  ]),
);

/** The titles of a file's cases. */
function titles(file: string): readonly string[] {
  return [...(sources.get(file) ?? "").matchAll(/\btest(?:\.concurrent)?\(\s*(["`])((?:(?!\1).)*)\1/gs)].map(
    (match) => match[2] ?? "",
  );
}

/** Rows whose case does not exist. */
function without(cases: Readonly<Record<string, CaseName | null>>): readonly string[] {
  return Object.entries(cases).flatMap(([row, name]) =>
    name === null || titles(name[0]).some((title) => title.includes(name[1])) ? [] : [`${row}: ${name.join(": ")}`],
  );
}

/** The fields of an interface, from its source: what the compiler knows is gone when this runs. */
function fieldsOf(path: string, name: string): readonly string[] {
  const source = readFileSync(new URL(`../../src/${path}`, import.meta.url), "utf8");
  const body = new RegExp(`interface ${name}[^{]*\\{\\n(.*?)\\n\\}`, "s").exec(source)?.[1] ?? "";
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map((match) => match[1] ?? "");
}

describe("every row of the promise's tables has a named case", () => {
  test.each([
    ["JobDefinition", "job/definition.ts", DEFINITION_CASES],
    ["SubmitOptions", "job/options.ts", OPTION_CASES],
    ["ScheduleSpec", "backend/schedules.ts", SCHEDULE_CASES],
  ])("every field of %s", (name, path, cases) => {
    const fields = fieldsOf(path, name);
    expect(fields.length).toBeGreaterThan(5);
    expect([...fields].sort()).toEqual(Object.keys(cases).sort());
    expect(without(cases)).toEqual([]);
  });

  test("every move between states", () => {
    const moves = Object.entries(STATES).flatMap(([from, next]) => next.map((to) => `${from} ${to}`));
    expect([...moves].sort()).toEqual(Object.keys(MOVE_CASES).sort());
    expect(without(MOVE_CASES)).toEqual([]);
  });
});
