import { expect, test } from "vitest";
import { knownTables, nameValues } from "./known-tables.ts";

const wait = knownTables().get("wait");

test("a row that is older than a column is known, and has no value there", () => {
  if (wait === undefined) throw new Error("there is no table wait");
  const columns = wait.columns.map(({ name }) => name);
  expect(columns).toEqual(expect.arrayContaining(["child", "after", "approval", "decided"]));
  const old = { rowid: undefined, values: [1, 1, 1, 9, null, null, null, null] };
  const named = nameValues(wait, old);
  expect(named).toMatchObject({ job: 1, position: 1, due: 9, child: null });
  expect(Object.hasOwn(named ?? {}, "approval")).toBe(false);
  expect(nameValues(wait, { ...old, values: old.values.slice(1) })).toBeUndefined();
});
