import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { EMBEDDED, testOn } from "../support/test.ts";
import { until } from "../support/until.ts";

const test = testOn(EMBEDDED);

/** Pages of the file, and those of them that hold nothing. */
function pages(path: string): { all: number; free: number } {
  const db = new DatabaseSync(path, { readOnly: true });
  const read = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  const found = { all: read("page_count"), free: read("freelist_count") };
  db.close();
  return found;
}

test("what retention removes is given back to the disk, also while another process is in the middle of a write", async ({
  open,
}) => {
  const clock = new TestClock();
  const bench = await open({ types: [{ name: "app.work" }], clock, config: { "retention.jobs": 1 } });
  const ids: string[] = [];
  for (let n = 0; n < 20; n++)
    ids.push(await bench.submit("app.work", { name: `n${n}`, ballast: "x".repeat(200_000) }));
  for (const id of ids) await bench.cancel(id);
  const before = pages(bench.databasePath);
  const worker = await bench.worker();
  await clock.advance(59_000);
  const other = new DatabaseSync(bench.databasePath, { timeout: 5_000 });
  other.exec("BEGIN IMMEDIATE");
  await clock.advance(1_500);
  other.exec("COMMIT");
  other.close();
  await until(() => (pages(bench.databasePath).all < before.all / 4 ? true : undefined), {
    what: "a smaller database",
  });
  expect(pages(bench.databasePath).free).toBe(0);
  expect(worker.events).toEqual([]);
  expect((await bench.backend.list({ limit: 30 })).jobs.length).toBe(1);
});
