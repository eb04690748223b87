import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { brokenInvariants } from "../support/invariants.ts";
import { seeded } from "../support/random.ts";
import { type Bench, EMBEDDED, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);
const types = [
  { name: "app.keyed", concurrency: [{ key: "key", limit: 1 }], retries: 1, backoff: { first: "10ms", jitter: 0 } },
];
const POINTS = 40;
const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4_096;

/** What was acknowledged, and how long the log was by then. */
interface Acknowledged {
  readonly n: number;
  readonly logBytes: number;
  readonly what: "accepted" | "completed";
}

/** Copied by another process: who opens and closes a database's file drops the locks of its own process. */
function copy(from: string, to: string): void {
  execFileSync("cp", [from, to]);
}

async function load(bench: Bench): Promise<readonly Acknowledged[]> {
  const log = `${bench.databasePath}-wal`;
  const acknowledged: Acknowledged[] = [];
  const note = (n: number, what: Acknowledged["what"]): void =>
    void acknowledged.push({ n, what, logBytes: statSync(log).size });
  const worker = await bench.worker({ concurrency: 4 });
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const key = `k${n % 3}`;
      const more = { ...(n % 5 === 0 ? { fails: 1 } : {}), ...(n % 7 === 0 ? { keeps: { "a.txt": "x" } } : {}) };
      const options = { metadata: { n: `${n}` }, idempotencyKey: `${n}`, ...(n % 4 === 0 ? { delay: 20 } : {}) };
      const jobId = await bench.submit("app.keyed", { name: `n${n}`, key, ...more }, options);
      note(n, "accepted");
      if (n % 6 === 5) {
        await bench.cancel(jobId);
        return;
      }
      await bench.settled(jobId);
      note(n, "completed");
    }),
  );
  await worker.stop({ graceMs: 0 });
  return acknowledged;
}

test("whatever the power leaves of the log, the database opens whole, with all that was acknowledged before", async ({
  open,
}) => {
  const bench = await open({ types });
  const start = join(bench.folder, "start.db");
  copy(bench.databasePath, start);
  const acknowledged = await load(bench);
  const log = join(bench.folder, "whole-wal");
  copy(`${bench.databasePath}-wal`, log);
  const unmoved = join(bench.folder, "unmoved.db");
  copy(bench.databasePath, unmoved);
  // Nothing was moved out of the log, so each beginning of it belongs to the same database.
  expect(readFileSync(unmoved).equals(readFileSync(start))).toBe(true);
  const { size } = statSync(log);
  expect(size).toBeGreaterThan(HEADER_BYTES + 50 * FRAME_BYTES);

  const random = seeded(7);
  const points = Array.from({ length: POINTS }, (_, n) => {
    const frames = Math.floor(random() * ((size - HEADER_BYTES) / FRAME_BYTES));
    // In the middle of a frame as often as at its end.
    return HEADER_BYTES + frames * FRAME_BYTES + (n % 2 === 0 ? 0 : Math.floor(random() * FRAME_BYTES));
  });
  for (const bytes of [0, HEADER_BYTES, ...points, size]) {
    const folder = join(bench.folder, `cut-${bytes}`, "db");
    mkdirSync(folder, { recursive: true });
    const path = join(folder, "windlass.db");
    copyFileSync(start, path);
    copyFileSync(log, `${path}-wal`);
    truncateSync(`${path}-wal`, bytes);
    // It opens, is sound, and every job stands in exactly one place.
    expect(brokenInvariants(path), `cut at ${bytes}`).toEqual([]);
    expect(missing(path, acknowledged, bytes), `cut at ${bytes}`).toEqual([]);
  }
});

/** Facts whose commit stood in the log before the cut and that the reopened database does not know. */
function missing(path: string, acknowledged: readonly Acknowledged[], bytes: number): readonly Acknowledged[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const numbers = (from: string): Set<number> =>
      new Set(
        hasTables(db)
          ? (db.prepare(`SELECT json_extract(j.env, '$.metadata.n') AS n FROM ${from}`).all() as { n: string }[]).map(
              ({ n }) => Number(n),
            )
          : [],
      );
    const accepted = numbers("job j");
    const done = numbers("done d JOIN job j ON j.id = d.job");
    return acknowledged.filter(
      ({ n, what, logBytes }) => logBytes <= bytes && !(what === "accepted" ? accepted : done).has(n),
    );
  } finally {
    db.close();
  }
}

/** False before the schema was committed. */
function hasTables(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'job'").get() !== undefined;
}

test("a worker on what is left runs every job to its end", async ({ open }) => {
  const bench = await open({ types });
  const start = join(bench.folder, "start.db");
  copy(bench.databasePath, start);
  await load(bench);
  const log = join(bench.folder, "whole-wal");
  copy(`${bench.databasePath}-wal`, log);
  const { size } = statSync(log);
  for (const share of [0.3, 0.6, 0.9]) {
    const folder = join(bench.folder, `left-${share}`);
    mkdirSync(join(folder, "db"), { recursive: true });
    const path = join(folder, "db", "windlass.db");
    copyFileSync(start, path);
    copyFileSync(log, `${path}-wal`);
    truncateSync(`${path}-wal`, Math.floor(size * share));
    const after = await open({ types, folder });
    await after.worker();
    const { jobs } = await after.backend.list({ limit: 100 });
    expect(jobs.length).toBeGreaterThan(0);
    for (const { jobId } of jobs) expect((await after.settled(jobId)).endedAtMs).not.toBeNull();
  }
});
