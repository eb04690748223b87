import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { test } from "../../test/support/library.ts";
import { REFUSALS } from "../../test/support/refusals/refusals.ts";
import { REFUSING, storeBefore } from "../../test/support/refusals/types.ts";

/** Every row of every table. */
function rowsOf(path: string): unknown {
  using db = new DatabaseSync(path, { readOnly: true });
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  return Object.fromEntries(tables.map(({ name }) => [name, db.prepare(`SELECT * FROM "${name}"`).all()]));
}

test("what is refused leaves no new row in any table", async ({ open, db }) => {
  const client = await open(REFUSING);
  await storeBefore(client);
  const before = rowsOf(db);
  for (const { what, call } of Object.values(REFUSALS).flat()) {
    await expect(call(client), what).rejects.toMatchObject({ code: expect.any(String) });
    expect(rowsOf(db), what).toEqual(before);
  }
});
