import { z } from "zod";
import { queryDatabase } from "../../database/shell.ts";
import { defineOperation } from "../operation.ts";
import { databasePath, idMaker } from "./database-path.ts";

/** Answers SQL about the database. */
export const askDatabase = defineOperation({
  name: "db.shell",
  summary: "Answer SQL about the database; nothing can be changed.",
  description:
    "Tables stand in `SELECT name, sql FROM sqlite_schema`. The function job_id(number) gives the id of a job, so that `SELECT job_id(job), state, error FROM done WHERE state = 'failed'` works. Tables change with versions of this program.",
  access: "read",
  input: z.strictObject({
    sql: z.array(z.string().min(1)).min(1).describe("Statements; each is answered by itself."),
    limit: z.int().min(1).max(100_000).default(1_000).describe("Rows of each statement."),
  }),
  output: z.strictObject({
    results: z.array(
      z.strictObject({
        rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
        truncated: z.boolean().describe("There were more rows."),
      }),
    ),
  }),
  errors: ["USAGE", "UNSUPPORTED"],
  database: "none",
  positional: ["sql"],
  lines: ({ results }) =>
    results.flatMap(({ rows, truncated }) => [...rows, ...(truncated ? [{ truncated, shown: rows.length }] : [])]),
  async run({ sql, limit }, context) {
    const results = queryDatabase(await databasePath(context), sql, {
      rowsMax: limit,
      functions: { jobId: idMaker() },
    });
    return { results: results.map(({ rows, truncated }) => ({ rows: rows.map((row) => ({ ...row })), truncated })) };
  },
});
