import { type JsonText, jsonOf } from "../job/write-json.ts";
import type { Redactor } from "../redact.ts";

/**
 * A JSON value with the secrets in its texts masked, names of members too; the same value where no secret was resolved.
 * Text by text: masking it as one JSON text would make a number that holds a secret's digits no JSON any more.
 */
export function maskTexts<T>(value: T, redactor: Redactor | undefined): T {
  return redactor === undefined ? value : (maskOne(value, redactor) as T);
}

/** The JSON of a value with the secrets in its texts masked. */
export function maskedJson(value: unknown, redactor: Redactor | undefined): JsonText {
  const json = jsonOf(value);
  // Asked first: a value that holds itself cannot be walked.
  return json.kind === "refused" || redactor === undefined ? json : jsonOf(maskTexts(value, redactor));
}

function maskOne(value: unknown, redactor: Redactor): unknown {
  if (typeof value === "string") return redactor.text(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => maskOne(item, redactor));
  if ("toJSON" in value && typeof value.toJSON === "function") return maskOne(value.toJSON() as unknown, redactor);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redactor.text(name), maskOne(item, redactor)]),
  );
}
