import type { Transaction } from "../../../database/writer.ts";
import { keyForShape, type MatchKey } from "../../../job/durable/match.ts";
import { readOutcome } from "../../../job/durable/outcome.ts";
import { loadText } from "../files/stored-text.ts";
import type { JobNumber } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";

/** Which event a job looks for. */
export interface EventQuery {
  readonly job: JobNumber;
  readonly event: string;
  readonly match: MatchKey;
  /** The newest event when the run began; what it looks for came later. */
  readonly after: number;
  /** No older than this. */
  readonly fromMs?: number;
}

/** An event that is kept; its payload is an outcome as it is stored. */
export interface FoundEvent {
  readonly id: number;
  readonly payload: string;
}

/** The first event that fits and that the job was not given before: an index lookup. */
export function findEvent(
  tx: Transaction<Notice>,
  { job, event, match, after, fromMs = 0 }: EventQuery,
): FoundEvent | undefined {
  learnShape(tx, event, match.shape);
  return tx.db.get<FoundEvent>(
    `SELECT e.id, e.payload FROM event_match m JOIN event e ON e.id = m.event
     WHERE m.name = ? AND m.shape = ? AND m.key = ? AND m.event > ? AND e.at >= ?
       AND NOT EXISTS (SELECT 1 FROM consumed c WHERE c.job = ? AND c.event = m.event)
     ORDER BY m.event LIMIT 1`,
    event,
    match.shape,
    match.key,
    after,
    fromMs,
    job,
  );
}

/** The job was given this event. */
export function takeEvent(tx: Transaction<Notice>, job: JobNumber, event: number): void {
  tx.db.run("INSERT INTO consumed (job, event) VALUES (?, ?)", job, event);
}

/** The first wait for an event that looks at these paths enters the kept events under them; later ones enter themselves. */
function learnShape(tx: Transaction<Notice>, event: string, shape: string): void {
  if (tx.db.get("SELECT 1 FROM event_shape WHERE name = ? AND shape = ?", event, shape) !== undefined) return;
  tx.db.run("INSERT INTO event_shape (name, shape) VALUES (?, ?)", event, shape);
  for (const { id, payload } of tx.db.all<FoundEvent>("SELECT id, payload FROM event WHERE name = ?", event))
    enterEvent(tx, { id, name: event, shape, payload: payloadOf(payload) });
}

/** Enters an event under a shape; returns its key there, `undefined` where it has none. */
export function enterEvent(
  tx: Transaction<Notice>,
  { id, name, shape, payload }: { id: number; name: string; shape: string; payload: unknown },
): string | undefined {
  const key = keyForShape(shape, payload);
  if (key !== undefined)
    tx.db.run("INSERT INTO event_match (name, shape, key, event) VALUES (?, ?, ?, ?)", name, shape, key, id);
  return key;
}

function payloadOf(stored: string): unknown {
  const outcome = readOutcome(loadText(stored));
  return outcome.kind === "ok" ? outcome.value : undefined;
}
