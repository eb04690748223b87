import { createHash, randomUUID } from "node:crypto";
import { closeSync, constants, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../../error.ts";
import type { ValueReference } from "../rows/env.ts";

/** Below the artifact root: values that are too large for the database. */
const FOLDER = ".values";

/**
 * Puts a large value into a file of its own before its row is written; a small one stays in the database.
 *
 * @returns `undefined` for a value that stands inline.
 * @throws AppError `TOO_LARGE`.
 */
export function storeValue(
  root: string,
  json: string,
  { inlineBytes, valueBytes }: { readonly inlineBytes: number; readonly valueBytes: number },
): ValueReference | undefined {
  // No UTF-16 unit takes more than three bytes.
  if (json.length <= inlineBytes / 3) return undefined;
  const bytes = Buffer.byteLength(json);
  if (bytes <= inlineBytes) return undefined;
  if (bytes > valueBytes)
    throw new AppError(
      "TOO_LARGE",
      `the input has ${bytes} bytes of JSON; job.value_bytes allows ${valueBytes}: put it into a file and give its path`,
    );
  const name = `${FOLDER}/${randomUUID()}.json`;
  mkdirSync(join(root, FOLDER), { recursive: true, mode: 0o700 });
  const file = openSync(join(root, name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    const content = Buffer.from(json);
    for (let at = 0; at < content.length; ) at += writeSync(file, content, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return { root, name, bytes, sha256: createHash("sha256").update(json).digest("hex") };
}
