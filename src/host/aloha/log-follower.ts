import { type LogEvidence, noEvidence, readLog, turnPage } from "./model/log-evidence.ts";

/** A piece of the client's log. */
export type LogPiece =
  | { readonly kind: "read"; readonly bytes: Uint8Array; readonly sizeBytes: number }
  /** There is no such file. */
  | { readonly kind: "missing" };

/**
 * Reads the client's log on its machine: at most `bytesMax` bytes from `offset`; none when that is behind the end.
 *
 * @throws AppError when the machine cannot be reached or the file cannot be read.
 */
export type ReadLog = (
  where: { readonly offset: number; readonly bytesMax: number },
  options: { readonly signal: AbortSignal },
) => Promise<LogPiece>;

/** Where a log stood: its length, and its last bytes, by which it is known again. */
export interface LogMark {
  readonly offset: number;
  readonly anchor: Uint8Array;
}

const PIECE_BYTES = 262_144;
const ANCHOR_BYTES = 64;

/** Says where the log stands; a file that is not there yet stands at 0. */
export async function markLog(read: ReadLog, options: { readonly signal: AbortSignal }): Promise<LogMark> {
  const empty = { offset: 0, anchor: new Uint8Array() };
  const size = await read({ offset: 0, bytesMax: 0 }, options);
  if (size.kind === "missing") return empty;
  const from = Math.max(0, size.sizeBytes - ANCHOR_BYTES);
  const tail = await read({ offset: from, bytesMax: ANCHOR_BYTES }, options);
  if (tail.kind === "missing") return empty;
  return { offset: from + tail.bytes.length, anchor: tail.bytes };
}

/** What following a log needs. */
export interface FollowedLog {
  readonly read: ReadLog;
  readonly mark: LogMark;
  readonly task: string;
  /** Takes the bytes that are new, in order. */
  readonly keep: (bytes: Uint8Array) => void;
}

/** Follows the log from a mark on, and knows when the file under it is another one. */
export class LogFollower {
  readonly #followed: FollowedLog;
  #offset: number;
  #anchor: Uint8Array;
  #evidence: LogEvidence;

  constructor(followed: FollowedLog) {
    this.#followed = followed;
    this.#offset = followed.mark.offset;
    this.#anchor = followed.mark.anchor;
    this.#evidence = noEvidence(followed.task);
  }

  get evidence(): LogEvidence {
    return this.#evidence;
  }

  /**
   * Reads what is new.
   *
   * @returns false when there is no such file.
   * @throws AppError as {@link ReadLog} does.
   */
  async look(options: { readonly signal: AbortSignal }): Promise<boolean> {
    while (!this.#evidence.finished) {
      const from = this.#offset - this.#anchor.length;
      const piece = await this.#followed.read({ offset: from, bytesMax: PIECE_BYTES }, options);
      if (piece.kind === "missing") {
        this.#startOver();
        return false;
      }
      if (!startsWith(piece.bytes, this.#anchor)) {
        this.#startOver();
        continue;
      }
      const fresh = piece.bytes.subarray(this.#anchor.length);
      if (fresh.length === 0) break;
      this.#take(fresh, piece.bytes);
      if (this.#offset >= piece.sizeBytes) break;
    }
    return true;
  }

  #take(fresh: Uint8Array, withAnchor: Uint8Array): void {
    this.#followed.keep(fresh);
    this.#evidence = readLog(this.#evidence, Buffer.from(fresh).toString("latin1"));
    this.#offset += fresh.length;
    this.#anchor = withAnchor.slice(-ANCHOR_BYTES);
  }

  #startOver(): void {
    if (this.#offset === 0) return;
    this.#offset = 0;
    this.#anchor = new Uint8Array();
    this.#evidence = turnPage(this.#evidence);
  }
}

/** A file shorter than the anchor's end, or with other bytes there, is not the one that was read before. */
function startsWith(bytes: Uint8Array, anchor: Uint8Array): boolean {
  return bytes.length >= anchor.length && anchor.every((byte, index) => bytes[index] === byte);
}
