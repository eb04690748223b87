import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppError } from "../../error.ts";
import { Connection } from "../connection.ts";
import { openDatabase } from "../open.ts";
import { knownTables } from "./known-tables.ts";
import { type Salvaged, salvage } from "./salvage.ts";

const JOBS = 400;
const PAGE = 4096;

let folder = "";
let path = "";
let to = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "salvage-"));
  path = join(folder, "w.db");
  to = join(folder, "saved.ndjson");
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  db.exec(
    "BEGIN; INSERT INTO setting VALUES ('id_key', 'abcd'); INSERT INTO actor VALUES (1, 'person', 'ann', 'cli'); INSERT INTO rules VALUES (1, '{\"retries\":3}'); INSERT INTO queue VALUES (1, 'app.report', '{\"site\":\"lab1\"}')",
  );
  for (let n = 1; n <= JOBS; n++) {
    // Some are longer than a page, and some longer than two.
    const input = "é".repeat(n % 7 === 0 ? 5_000 : n % 5);
    db.run("INSERT INTO job VALUES (?, 1, 1, 1, ?, ?, ?)", 2 ** 52 + n, -n, n, JSON.stringify({ input }));
    db.run(
      "INSERT INTO done VALUES (?, 1, 'failed', NULL, 1, 1, 0, 1, 5, 6, NULL, ?)",
      2 ** 52 + n,
      JSON.stringify({ code: "X", message: "y".repeat(n % 11 === 0 ? 3_000 : 10) }),
    );
    db.run("INSERT INTO history VALUES (?, 1, 1, 7, 'attempt.failed', ?)", 2 ** 52 + n, JSON.stringify({ n }));
    db.run("INSERT INTO metadata VALUES ('customer', ?, ?)", `c${n}`, 2 ** 52 + n);
  }
  db.exec("COMMIT");
  db.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

type Line = Readonly<Record<string, unknown>>;

function save(): Salvaged & { readonly lines: readonly Line[] } {
  rmSync(to, { force: true });
  const done = salvage(path, to, (key, number) => `${key}-${number - 2 ** 52}`);
  const text = readFileSync(to, "utf8");
  return {
    ...done,
    lines:
      text === ""
        ? []
        : text
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line) as Line),
  };
}

const jobsOf = (lines: readonly Line[]): Line[] => lines.filter(({ record }) => record === "job");
const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** Pages of a table with a page above them: leaves first, then inner ones. */
function pagesOf(table: string): { readonly leaves: number[]; readonly inner: number[] } {
  const db = Connection.open(path, { readOnly: true });
  const rows = db.all<{ pageno: number; pagetype: string }>(
    "SELECT pageno, pagetype FROM dbstat WHERE name = ?",
    table,
  );
  db.close();
  const of = (type: string): number[] => rows.filter(({ pagetype }) => pagetype === type).map(({ pageno }) => pageno);
  return { leaves: of("leaf"), inner: of("internal") };
}

function damage(...pages: readonly number[]): void {
  const bytes = readFileSync(path);
  for (const page of pages) bytes.fill(0xff, (page - 1) * PAGE, page * PAGE);
  writeFileSync(path, bytes);
}

test("every row of every table of a sound database is saved, with the ids that users know", () => {
  const { lines, rows, lostPages, brokenRows } = save();
  expect([lostPages, brokenRows]).toEqual([{}, {}]);
  const db = Connection.open(path, { readOnly: true });
  for (const name of knownTables().keys())
    expect([name, rows[name === "done" ? "end" : name] ?? 0]).toEqual([
      name,
      db.get<{ n: number }>(`SELECT count(*) AS n FROM ${name}`)?.n,
    ]);
  const long = db.get<{ env: string }>("SELECT env FROM job WHERE id = ?", 2 ** 52 + 7)?.env ?? "";
  db.close();
  expect(jobsOf(lines)[6]).toEqual({
    ...{ record: "job", job_id: "abcd-7", type: "app.report", requires: { site: "lab1" }, actor: "person:ann" },
    ...{ rules: { retries: 3 }, id: 2 ** 52 + 7, rank: -7, due: 7, env: JSON.parse(long) },
  });
  const end = lines.find(({ record, job_id }) => record === "end" && job_id === "abcd-11");
  expect(end).toMatchObject({ state: "failed", error: { code: "X", message: "y".repeat(3_000) }, result: null });
  expect(statSync(to).mode & 0o777).toBe(0o600);
});

test("a damaged page costs its own rows and no others, and is counted", () => {
  const { leaves } = pagesOf("job");
  damage(leaves[1] ?? 0);
  const { lines, lostPages } = save();
  expect(lostPages).toEqual({ job: 1 });
  const saved = jobsOf(lines).length;
  expect(saved).toBeLessThan(JOBS);
  expect(saved).toBeGreaterThan(JOBS - 100);
  expect(lines.filter(({ record }) => record === "end")).toHaveLength(JOBS);
});

test("a damaged page above others costs none of theirs", () => {
  const { inner } = pagesOf("job");
  expect(inner.length).toBeGreaterThan(0);
  damage(...inner);
  const { lines, lostPages } = save();
  expect(jobsOf(lines)).toHaveLength(JOBS);
  expect(lostPages).toEqual({ job: inner.length });
});

test("without its first page, which names the tables, the rows are known by their shape", () => {
  damage(1);
  const { lines, rows } = save();
  expect(jobsOf(lines)).toHaveLength(JOBS);
  expect(rows).toMatchObject({ end: JOBS, history: JOBS });
  // An index over two texts and a number looks like metadata: what was placed by its shape alone says so.
  expect(lines.filter(({ record, job_id }) => record === "metadata" && job_id !== "abcd-1").length).toBeGreaterThan(
    JOBS - 2,
  );
  expect(lines.every(({ guessed }) => guessed === true)).toBe(true);
});

test("bytes that fall over anywhere end nothing, and most is saved", () => {
  const sound = readFileSync(path);
  // A fixed sequence, so that a failure can be repeated.
  let seed = 12345;
  const next = (limit: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % limit;
  };
  for (let round = 0; round < 12; round++) {
    const bytes = Buffer.from(sound);
    for (let n = 0; n < 20; n++) bytes[next(bytes.length)] = next(256);
    writeFileSync(path, bytes);
    const { lines } = save();
    expect(jobsOf(lines).length, `round ${round}`).toBeGreaterThan(JOBS / 3);
  }
});

test("a file that was cut off is read to its end", () => {
  truncateSync(path, Math.floor(statSync(path).size / 2));
  const { rows, lostPages } = save();
  expect(total(rows)).toBeGreaterThan(100);
  expect(total(lostPages)).toBeGreaterThan(10);
});

test("the log is read up to its last whole commit, and an empty file with a log as well", () => {
  const script = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1]); db.exec("PRAGMA cache_size=5; UPDATE job SET due = 4711; BEGIN; DELETE FROM job"); process.kill(process.pid, "SIGKILL")`;
  spawnSync(process.execPath, ["-e", script, path]);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(20 * PAGE);
  const jobs = jobsOf(save().lines);
  expect([jobs.length, new Set(jobs.map(({ due }) => due))]).toEqual([JOBS, new Set([4711])]);
  truncateSync(path, 0);
  const { lines, brokenRows } = save();
  // The ends of long rows were not touched, so they stood in the file alone.
  expect(jobsOf(lines).length + (brokenRows["job"] ?? 0)).toBe(JOBS);
  expect(jobsOf(lines).length).toBeGreaterThan(JOBS * 0.8);
  expect(existsSync(`${path}-wal`)).toBe(true);
});

test("what was deleted stays deleted", () => {
  const db = Connection.open(path);
  db.exec(`DELETE FROM job WHERE id > ${2 ** 52 + 100}; DELETE FROM history`);
  db.close();
  const { lines, rows } = save();
  expect(jobsOf(lines)).toHaveLength(100);
  expect(rows["history"]).toBeUndefined();
});

function codeOf(action: () => unknown): string {
  try {
    action();
    return "done";
  } catch (error) {
    return (error as AppError).code;
  }
}

test("it refuses to read beside somebody, and to overwrite anything", async () => {
  writeFileSync(to, "precious");
  expect(codeOf(() => salvage(path, to, () => ""))).toBe("DATABASE_EXISTS");
  expect(readFileSync(to, "utf8")).toBe("precious");
  expect(codeOf(() => salvage(join(folder, "none.db"), `${to}2`, () => ""))).toBe("DATABASE_MISSING");
  const script = `const db = new (require("node:sqlite").DatabaseSync)(process.argv[1]); db.exec("SELECT count(*) FROM job"); console.log("open"); setInterval(() => 0, 1000)`;
  const child = spawn(process.execPath, ["-e", script, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  expect(codeOf(() => salvage(path, `${to}2`, () => ""))).toBe("DATABASE_IN_USE");
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
});
