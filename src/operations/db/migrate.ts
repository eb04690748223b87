import { existsSync } from "node:fs";
import { z } from "zod";
import { ownMigrations, schemaVersion } from "../../database/migrate.ts";
import { openDatabase, type Upgrade } from "../../database/open.ts";
import { defineOperation } from "../operation.ts";
import { databasePath } from "./database-path.ts";

/** Brings the schema to this version's. */
export const migrateDatabase = defineOperation({
  name: "db.migrate",
  summary: "Bring the schema of the database to this version's, after a copy.",
  description:
    "Refused while older workers run. A worker does the same when it starts. A database that is not there is made.",
  access: "write",
  input: z.strictObject({}),
  output: z.strictObject({
    path: z.string(),
    state: z.enum(["migrated", "current", "created"]),
    from: z.int().nullable(),
    to: z.int(),
    copy: z.string().nullable().describe("The database as it was before."),
  }),
  errors: ["POLICY_DENIED", "DATABASE_IN_USE", "DATABASE_NEWER", "DATABASE_DAMAGED", "DATABASE_FULL", "UNSUPPORTED"],
  database: "none",
  async run(_, context) {
    const path = await databasePath(context);
    const existed = existsSync(path);
    let upgrade: Upgrade | undefined;
    const onUpgrade = (done: Upgrade): void => {
      upgrade = done;
    };
    openDatabase(path, { mode: "migrate", nowMs: context.clock.now(), onUpgrade }).close();
    const to = schemaVersion(ownMigrations());
    if (upgrade !== undefined) return { path, state: "migrated" as const, ...upgrade };
    return existed
      ? { path, state: "current" as const, from: to, to, copy: null }
      : { path, state: "created" as const, from: null, to, copy: null };
  },
});
