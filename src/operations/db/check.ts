import { resolve } from "node:path";
import { z } from "zod";
import { JobNumbers } from "../../backend/embedded/rows/job-number.ts";
import { type CheckReport, checkDatabase } from "../../database/check.ts";
import { openAnyVersion } from "../../database/open.ts";
import { type Salvaged, salvage } from "../../database/salvage/salvage.ts";
import { errorText, isAppError } from "../../error.ts";
import { defineOperation } from "../operation.ts";
import { databasePath, idMaker } from "./database-path.ts";

const Counts = z.record(z.string(), z.int());

const Output = z.strictObject({
  path: z.string(),
  state: z.enum(["ok", "failed"]),
  schema: z.int().nullable(),
  findings: z.array(
    z.strictObject({
      where: z.enum(["file", "schema", "records"]),
      problem: z.string(),
      count: z.int(),
      jobs: z.array(z.string()).describe("Ids of at most five of them."),
    }),
  ),
  counts: Counts.describe("Rows by table; empty when the file could not be read so far."),
  salvaged: z
    .strictObject({
      path: z.string(),
      rows: Counts.describe("Lines by what they are a record of."),
      lost_pages: Counts.describe("Pages that could not be read, by table or index."),
      broken_rows: Counts.describe("Rows on readable pages that could not be read, by table."),
    })
    .nullable(),
});

/** Looks for what is wrong with the database. */
export const checkTheDatabase = defineOperation({
  name: "db.check",
  summary: "Look for what is wrong with the database, and save what can be read of a damaged one.",
  description:
    "Without --quick it reads all of the file, compares indexes to tables, and asks that every job stands in exactly one place. Exit 1 when anything was found, also when all of it could be saved.",
  access: "read",
  input: z.strictObject({
    quick: z.boolean().optional().describe("Looks at the structure of the file alone."),
    salvage: z
      .string()
      .min(1)
      .optional()
      .describe("Also writes jobs, ends, history and the other records to this new file, a line of JSON each."),
  }),
  output: Output,
  errors: ["CHECK_FAILED", "DATABASE_IN_USE", "DATABASE_EXISTS", "DATABASE_FULL", "UNSUPPORTED", "POLICY_DENIED"],
  database: "none",
  // As a backup does, it writes all that the database holds to a file.
  changes: ({ salvage: to }) => to !== undefined,
  verdict: ({ state, findings, path }) =>
    state === "ok"
      ? undefined
      : { code: "CHECK_FAILED", message: `${path}: ${findings.map(({ problem }) => problem).join("; ")}` },
  lines: ({ findings, counts, salvaged, path, schema, state }) => [
    ...findings.map(({ jobs, ...finding }) => ({ ...finding, ...(jobs.length === 0 ? {} : { jobs: jobs.join(",") }) })),
    ...Object.entries(counts).map(([table, rows]) => ({ table, rows })),
    ...(salvaged === null ? [] : salvageLines(salvaged)),
    { state, path, ...(schema === null ? {} : { schema }) },
  ],
  async run({ quick, salvage: to }, context) {
    const path = await databasePath(context);
    const report = look(path, quick === true);
    const saved = to === undefined ? undefined : salvage(path, resolve(context.cwd, to), idMaker());
    const idOf = idsOf(path);
    return {
      path,
      state: report.findings.length === 0 ? ("ok" as const) : ("failed" as const),
      schema: report.schema,
      findings: report.findings.map((finding) => ({ ...finding, jobs: finding.jobs.map(idOf) })),
      counts: { ...report.counts },
      salvaged: saved === undefined ? null : salvageOutput(saved),
    };
  },
});

type Looked = Pick<CheckReport, "findings" | "counts"> & { readonly schema: number | null };

/** A file that cannot even be opened is a finding: something of it may still be saved. */
function look(path: string, isQuick: boolean): Looked {
  try {
    return checkDatabase(path, isQuick ? "quick" : "full");
  } catch (error) {
    if (!isAppError(error) || (error.code !== "DATABASE_DAMAGED" && error.code !== "DATABASE_FOREIGN")) throw error;
    return { schema: null, counts: {}, findings: [{ where: "file", problem: errorText(error), count: 1, jobs: [] }] };
  }
}

function idsOf(path: string): (number: number) => string {
  try {
    const db = openAnyVersion(path);
    try {
      const numbers = JobNumbers.load(db);
      return (number) => numbers?.idOf(number) ?? String(number);
    } finally {
      db.close();
    }
  } catch {
    return String;
  }
}

function salvageOutput({ path, rows, lostPages, brokenRows }: Salvaged) {
  return { path, rows: { ...rows }, lost_pages: { ...lostPages }, broken_rows: { ...brokenRows } };
}

function salvageLines({ path, rows, lost_pages, broken_rows }: ReturnType<typeof salvageOutput>) {
  const names = [...new Set([rows, lost_pages, broken_rows].flatMap((counts) => Object.keys(counts)))];
  return [
    ...names.map((record) => ({
      saved: record,
      rows: rows[record] ?? 0,
      lost_pages: lost_pages[record] ?? 0,
      broken_rows: broken_rows[record] ?? 0,
    })),
    { salvaged: path },
  ];
}
