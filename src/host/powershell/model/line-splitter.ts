/** A line of the runner is shorter: the reason in it has at most 2,000 characters. */
const LINE_MAX = 16_384;
const NEWLINE = 0x0a;
const CR = 0x0d;

/** What a splitter made of some bytes. */
export interface Split<T> {
  /** Bytes of the command, in order. */
  readonly output: readonly Buffer[];
  /** The runner's line, once it came. */
  readonly found?: T;
  /** What came behind it: nobody should have written that. */
  readonly rest?: Buffer;
}

/**
 * Finds the one line of the runner in a stream that a command writes to as well: a newline, the nonce, and what `parse`
 * accepts up to the next newline. Everything before it is passed on to the byte, without the newline that the runner put
 * in front; a line that only looks similar is the command's.
 *
 * It holds back no more than what could be the beginning of that line.
 */
export class LineSplitter<T> {
  readonly #mark: Buffer;
  readonly #parse: (text: string) => T | undefined;
  #held: Buffer = Buffer.alloc(0);

  constructor(nonce: string, parse: (text: string) => T | undefined) {
    this.#mark = Buffer.from(`\n${nonce}`);
    this.#parse = parse;
  }

  /** Takes the next bytes. Do not call it again once it has found the line. */
  push(chunk: Buffer): Split<T> {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(this.#mark, from);
      if (at === -1) return this.#hold(bytes, this.#beginning(bytes, from));
      const behind = at + this.#mark.length;
      const end = bytes.indexOf(NEWLINE, behind);
      if (end === -1 && bytes.length - behind <= LINE_MAX) return this.#hold(bytes, at);
      const found =
        end === -1 || end - behind > LINE_MAX ? undefined : this.#parse(textOf(bytes.subarray(behind, end)));
      if (found !== undefined) {
        this.#held = Buffer.alloc(0);
        return { output: parts(bytes.subarray(0, at)), found, rest: bytes.subarray(end + 1) };
      }
      from = at + 1;
    }
  }

  /** The stream is at its end: what was held back is the command's. */
  end(): Buffer {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held;
  }

  #hold(bytes: Buffer, at: number): Split<T> {
    // A copy, so that a few bytes do not keep a whole chunk alive.
    this.#held = Buffer.from(bytes.subarray(at));
    return { output: parts(bytes.subarray(0, at)) };
  }

  /** Where the longest end of the bytes begins that is a beginning of the mark. */
  #beginning(bytes: Buffer, from: number): number {
    for (let at = Math.max(from, bytes.length - this.#mark.length + 1); at < bytes.length; at++) {
      if (bytes.subarray(at).equals(this.#mark.subarray(0, bytes.length - at))) return at;
    }
    return bytes.length;
  }
}

/** A console may have made CRLF of the newline. */
function textOf(line: Buffer): string {
  return line.toString("latin1", 0, line.at(-1) === CR ? line.length - 1 : line.length);
}

function parts(bytes: Buffer): readonly Buffer[] {
  return bytes.length === 0 ? [] : [bytes];
}
