import { fstatSync, readSync } from "node:fs";

/** Where the newest committed form of each page stands in a write-ahead log. */
export interface LogPages {
  readonly pageSize: number;
  /** Byte offset by page number. */
  readonly offsets: ReadonlyMap<number, number>;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** Reads a log up to its last whole commit (https://www.sqlite.org/walformat.html); `undefined` when it holds none. */
export function readLogPages(descriptor: number): LogPages | undefined {
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(descriptor, header, 0, HEADER_BYTES, 0);
  const magic = header.readUInt32BE(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return undefined;
  const isBigEndian = magic === 0x377f0683;
  const pageSize = header.readUInt32BE(8);
  if (pageSize < 512 || pageSize > 65536) return undefined;
  let sums = addUp([0, 0], header.subarray(0, 24), isBigEndian);
  if (header.readUInt32BE(24) !== sums[0] || header.readUInt32BE(28) !== sums[1]) return undefined;
  const offsets = new Map<number, number>();
  const pending = new Map<number, number>();
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageSize);
  const end = fstatSync(descriptor).size;
  for (let at = HEADER_BYTES; at + frame.length <= end; at += frame.length) {
    readSync(descriptor, frame, 0, frame.length, at);
    if (frame.compare(header, 16, 24, 8, 16) !== 0) break;
    sums = addUp(sums, frame.subarray(0, 8), isBigEndian);
    sums = addUp(sums, frame.subarray(FRAME_HEADER_BYTES), isBigEndian);
    if (frame.readUInt32BE(16) !== sums[0] || frame.readUInt32BE(20) !== sums[1]) break;
    pending.set(frame.readUInt32BE(0), at + FRAME_HEADER_BYTES);
    // A frame that ends a commit says how many pages the database has then.
    if (frame.readUInt32BE(4) === 0) continue;
    for (const [page, offset] of pending) offsets.set(page, offset);
    pending.clear();
  }
  return offsets.size === 0 ? undefined : { pageSize, offsets };
}

type Sums = readonly [number, number];

function addUp([first, second]: Sums, bytes: Buffer, isBigEndian: boolean): Sums {
  let one = first;
  let two = second;
  for (let at = 0; at < bytes.length; at += 8) {
    one = (one + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + two) >>> 0;
    two = (two + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + one) >>> 0;
  }
  return [one, two];
}
