import type { ErrorRecord } from "../../error.ts";
import type { KeptFile } from "../context.ts";
import type { CallOutcome } from "./record.ts";

/** A file that a step kept, and the folder that it was written to. */
export interface RecordedFile extends KeptFile {
  /** Relative to the artifact root. */
  readonly folder: string;
}

/** An outcome as it is stored, JSON: short names, because there may be ten thousand in one run. */
interface StoredOutcome {
  readonly ok?: unknown;
  readonly error?: ErrorRecord;
  readonly timeout?: 1;
  readonly kept?: readonly RecordedFile[];
}

/** The outcome of a call that answers nothing. */
export const NOTHING = "{}";

/** The outcome of a wait that ended without its event. */
export const TIMED_OUT = '{"timeout":1}';

/** Writes an outcome whose value is JSON text already; `undefined` for no value. */
export function writeValue(json: string | undefined, kept: readonly RecordedFile[] = []): string {
  const parts = [
    ...(json === undefined ? [] : [`"ok":${json}`]),
    ...(kept.length === 0 ? [] : [`"kept":${JSON.stringify(kept)}`]),
  ];
  return `{${parts.join(",")}}`;
}

/** Writes the outcome of a call that failed. */
export function writeError(error: ErrorRecord, kept: readonly RecordedFile[] = []): string {
  return JSON.stringify({ error, ...(kept.length === 0 ? {} : { kept }) });
}

/** Reads what was stored. */
export function readOutcome(text: string): CallOutcome {
  const stored = JSON.parse(text) as StoredOutcome;
  if (stored.error !== undefined) return { kind: "error", error: stored.error };
  return stored.timeout === 1 ? { kind: "timeout" } : { kind: "ok", value: stored.ok };
}

/** The files that go with an outcome. */
export function keptWith(text: string): readonly RecordedFile[] {
  return text.includes('"kept":') ? ((JSON.parse(text) as StoredOutcome).kept ?? []) : [];
}
