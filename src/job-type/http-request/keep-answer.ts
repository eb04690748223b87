import { createHash } from "node:crypto";
import { mkdir, open, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { codeOf } from "./resolve-target.ts";

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
export async function keepBody(answer: IncomingMessage, folder: string, limitBytes: number): Promise<KeptBody> {
  await mkdir(join(folder, "http"), { recursive: true, mode: 0o700 });
  // `wx`: the attempt's folder is new, so a file that is there already is not ours to overwrite.
  await using file = await open(join(folder, BODY_PATH), "wx", 0o600);
  const hash = createHash("sha256");
  const chunks = answer[Symbol.asyncIterator]();
  let bytes = 0;
  const kept = (end: KeptBody["end"]): KeptBody => ({ end, bytes, sha256: hash.digest("hex") });
  for (;;) {
    const next = await nextChunk(chunks);
    if (next.kind === "cut") return { ...kept("cut"), reason: next.reason };
    if (next.kind === "end") return answer.complete ? kept("complete") : { ...kept("cut"), reason: "ended early" };
    const piece = next.chunk.subarray(0, limitBytes - bytes);
    hash.update(piece);
    await file.writeFile(piece);
    bytes += piece.length;
    if (piece.length < next.chunk.length) {
      answer.destroy();
      return kept("limit");
    }
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

type Chunk =
  | { readonly kind: "chunk"; readonly chunk: Buffer }
  | { readonly kind: "end" }
  | { readonly kind: "cut"; readonly reason: string };

async function nextChunk(chunks: AsyncIterator<Buffer>): Promise<Chunk> {
  try {
    const { done, value } = await chunks.next();
    return done === true ? { kind: "end" } : { kind: "chunk", chunk: value };
  } catch (error) {
    return { kind: "cut", reason: codeOf(error) };
  }
}
