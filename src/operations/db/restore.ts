import { resolve } from "node:path";
import { z } from "zod";
import { restore } from "../../database/restore.ts";
import { defineOperation } from "../operation.ts";
import { databasePath } from "./database-path.ts";

/** Puts a backup in the place of the database. */
export const restoreDatabase = defineOperation({
  name: "db.restore",
  summary: "Put a backup in the place of the database, which is kept beside it.",
  description:
    "Refused while anything has the database open. Jobs that ran when the backup was taken are taken back by the next worker, as after a crash; what happened since then is only in the replaced file.",
  access: "write",
  input: z.strictObject({ file: z.string().min(1).describe("The backup.") }),
  output: z.strictObject({
    path: z.string(),
    schema: z.int(),
    replaced: z.string().nullable().describe("Where the database that stood there is now."),
    leases: z.int().describe("Batches of jobs that ran when the backup was taken."),
  }),
  errors: [
    ...(["POLICY_DENIED", "DATABASE_IN_USE", "DATABASE_NEWER", "DATABASE_DAMAGED"] as const),
    ...(["DATABASE_FULL", "UNSUPPORTED", "USAGE"] as const),
  ],
  database: "none",
  positional: ["file"],
  async run({ file }, context) {
    return restore(resolve(context.cwd, file), await databasePath(context), context.clock.now());
  },
});
