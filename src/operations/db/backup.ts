import { resolve } from "node:path";
import { z } from "zod";
import { backup } from "../../database/backup.ts";
import { defineOperation } from "../operation.ts";
import { databasePath } from "./database-path.ts";

/** Copies the database while workers go on. */
export const backupDatabase = defineOperation({
  name: "db.backup",
  summary: "Copy the database to a new file; workers go on meanwhile.",
  description:
    "The copy is of one moment, checked, and of its owner alone. Kept files lie in the artifact folder: copy that as well where they matter.",
  access: "write",
  input: z.strictObject({ to: z.string().min(1).describe("The file to make; nothing may stand there.") }),
  output: z.strictObject({ path: z.string(), bytes: z.int(), schema: z.int() }),
  errors: ["POLICY_DENIED", "DATABASE_EXISTS", "DATABASE_DAMAGED", "DATABASE_FULL", "UNSUPPORTED"],
  database: "none",
  positional: ["to"],
  async run({ to }, context) {
    return backup(await databasePath(context), resolve(context.cwd, to));
  },
});
