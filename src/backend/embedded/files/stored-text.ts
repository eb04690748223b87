import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { ValueReference } from "../rows/env.ts";
import type { JobNumber } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";
import { storeValue } from "./store-value.ts";

/** What storing values needs. */
export interface ValueLimits {
  readonly inlineBytes: number;
  readonly valueBytes: number;
}

/** How the text of a value begins that stands in a file. */
const REFERENCE = '{"at":';

/** Puts a text that is too large for a row into a file; what is returned stands in the row. Before the transaction. */
export function storedText(root: string, text: string, limits: ValueLimits): string {
  // The members beside the value itself are a few dozen bytes.
  const at = storeValue(root, text, { ...limits, valueBytes: limits.valueBytes + 65_536 });
  return at === undefined ? text : `${REFERENCE}${JSON.stringify(at)}}`;
}

/** The text that {@link storedText} was given. */
export function loadText(stored: string): string {
  const at = referenceIn(stored);
  return at === undefined ? stored : readFileSync(join(at.root, at.name), "utf8");
}

/** Where a stored text lies, if not in its row. */
export function referenceIn(stored: string): ValueReference | undefined {
  return stored.startsWith(REFERENCE) ? (JSON.parse(stored) as { readonly at: ValueReference }).at : undefined;
}

/** The file of a stored text belongs to a job from now on, and goes with it. */
export function holdValue(tx: Transaction<Notice>, job: JobNumber, stored: string): void {
  const at = referenceIn(stored);
  if (at !== undefined) tx.db.run("INSERT INTO value (job, name) VALUES (?, ?) ON CONFLICT DO NOTHING", job, at.name);
}

/** Files that events hold. */
export function valuesOfEvents(db: Connection): string[] {
  return db
    .all<{ payload: string }>(`SELECT payload FROM event WHERE payload >= '${REFERENCE}' AND payload < '${REFERENCE}~'`)
    .flatMap(({ payload }) => referenceIn(payload)?.name ?? []);
}
