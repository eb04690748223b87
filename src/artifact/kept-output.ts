import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";

/** What was kept of a stream. */
export interface KeptOutputEnd {
  /** Length of the kept file. */
  readonly bytes: number;
  /** Of the kept file, in lower-case hexadecimal. */
  readonly sha256: string;
  /** What came beyond the limit and is not kept. */
  readonly droppedBytes: number;
}

/** The line at the end of output that was longer than its limit. */
export function cutMark(keptBytes: number): string {
  return `\n[windlass: cut after ${keptBytes} bytes]\n`;
}

/**
 * A file of an attempt that this process fills with the output of something elsewhere: at most `keptBytes` of it, and a line
 * that says so where there was more. Mode 0600; the file must not be there yet.
 */
export class KeptOutput implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #limitBytes: number;
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #dropped = 0;
  #end: Promise<KeptOutputEnd> | undefined;

  private constructor(file: FileHandle, limitBytes: number) {
    this.#file = file;
    this.#limitBytes = limitBytes;
  }

  /** @throws what the file system throws. */
  static async open(path: string, keptBytes: number): Promise<KeptOutput> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return new KeptOutput(await open(path, "ax", 0o600), keptBytes);
  }

  /** Writes in the order of the calls; the next one waits for this. */
  async write(bytes: Uint8Array): Promise<void> {
    const piece = bytes.subarray(0, Math.max(0, this.#limitBytes - this.#bytes));
    this.#dropped += bytes.length - piece.length;
    this.#bytes += piece.length;
    if (piece.length > 0) await this.#append(piece);
  }

  /** Closes the file and says what is in it. */
  finish(): Promise<KeptOutputEnd> {
    this.#end ??= this.#finish();
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
  }

  async #finish(): Promise<KeptOutputEnd> {
    try {
      const mark = Buffer.from(this.#dropped > 0 ? cutMark(this.#limitBytes) : "");
      if (mark.length > 0) await this.#append(mark);
      return { bytes: this.#bytes + mark.length, sha256: this.#hash.digest("hex"), droppedBytes: this.#dropped };
    } finally {
      await this.#file.close();
    }
  }

  async #append(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    await this.#file.appendFile(piece);
  }
}
