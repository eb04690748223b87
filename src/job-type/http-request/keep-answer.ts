import { createHash } from "node:crypto";
import { mkdir, open, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { BodyReader } from "./body-reader.ts";

/** The kept body: whole, cut at the limit, or as far as it came before the connection ended. */
export interface KeptBody {
  readonly end: "complete" | "limit" | "cut";
  readonly bytes: number;
  /** Of the bytes that were kept. */
  readonly sha256: string;
  /** Why the connection ended. */
  readonly reason?: string;
}

/** What `http/response.json` says, beside the body. */
export interface AnswerRecord {
  readonly method: string;
  readonly url: string;
  readonly final_url: string;
  readonly address: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly redirects: readonly RedirectRecord[];
  /** Times of the last request, in milliseconds; `total_ms` is from the start of the first to the end of the body. */
  readonly timings: Readonly<Record<string, number | string | null>>;
}

/** A redirect that was followed. */
export interface RedirectRecord {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly location: string;
}

const BODY_PATH = "http/body";

/**
 * Streams the body of an answer into `http/body`, and hashes it on the way. Holds no more than one chunk in memory.
 *
 * @throws what the file system throws; an answer that ends early is a result.
 */
export async function keepBody(reader: BodyReader, folder: string, limitBytes: number): Promise<KeptBody> {
  await mkdir(join(folder, "http"), { recursive: true, mode: 0o700 });
  // `wx`: the attempt's folder is new, so a file that is there already is not ours to overwrite.
  await using file = await open(join(folder, BODY_PATH), "wx", 0o600);
  const hash = createHash("sha256");
  let bytes = 0;
  for (;;) {
    const part = await reader.next();
    if (part.kind !== "chunk") {
      const reason = part.kind === "cut" ? { reason: part.reason } : {};
      return { end: part.kind, bytes, sha256: hash.digest("hex"), ...reason };
    }
    const piece = part.chunk.subarray(0, limitBytes - bytes);
    hash.update(piece);
    await file.writeFile(piece);
    bytes += piece.length;
    if (piece.length < part.chunk.length) return { end: "limit", bytes, sha256: hash.digest("hex") };
  }
}

/** Writes `http/response.json`; `body` is `null` where the body was not read. */
export async function keepRecord(folder: string, record: AnswerRecord, body: KeptBody | null): Promise<void> {
  const kept = body && {
    path: BODY_PATH,
    bytes: body.bytes,
    sha256: body.sha256,
    complete: body.end === "complete",
    ...(body.end === "limit" ? { cut_at_bytes: body.bytes } : {}),
  };
  await mkdir(join(folder, "http"), { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify({ ...record, body: kept }, null, 2)}\n`;
  await writeFile(join(folder, "http/response.json"), text, { flag: "wx", mode: 0o600 });
}

/** The headers of an answer; a repeated one is joined by a comma, but for `set-cookie`, where a comma is no separator. */
export function answerHeaders(answer: IncomingMessage): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(answer.headersDistinct).map(([name, values = []]) => [
      name,
      name === "set-cookie" ? values : values.join(", "),
    ]),
  );
}
