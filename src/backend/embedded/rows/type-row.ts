import { type Connection, readJson } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { PublishedType } from "../../reading.ts";
import type { Notice } from "./notice.ts";

/** Writes the types that a worker serves, for processes that have not loaded them; unchanged ones cost no write. */
export function publishTypes(tx: Transaction<Notice>, types: readonly PublishedType[]): void {
  for (const { name, version, rules, inputSchema } of types) {
    const body = JSON.stringify({ rules, inputSchema });
    tx.db.run(
      `INSERT INTO type (name, version, published, body) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO UPDATE SET version = ?2, published = ?3, body = ?4 WHERE version <> ?2 OR body <> ?4`,
      name,
      version,
      tx.nowMs,
      body,
    );
  }
}

/** The published types, by name. */
export function readTypes(db: Connection): PublishedType[] {
  return db
    .all<{ name: string; version: string; body: string }>("SELECT name, version, body FROM type ORDER BY name")
    .map(({ name, version, body }) => ({
      name,
      version,
      ...readJson<Pick<PublishedType, "rules" | "inputSchema">>(body, `type ${name}`),
    }));
}
