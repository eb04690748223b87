/** A value as a row holds it. */
export type Value = null | number | bigint | string | Buffer;

/** A number of variable length, and where it ends. Numbers of nine bytes, which no file of ours has, are not exact. */
export function readVarint(bytes: Buffer, at: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return { value: Number.NaN, end: at + index };
    if (index === 8) return { value: value * 256 + byte, end: at + 9 };
    // Not shifted: bits above 32 would be lost.
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return { value: Number.NaN, end: at };
}

/** The values of a record (https://www.sqlite.org/fileformat2.html#record_format); `undefined` when it is none. */
export function readRecord(bytes: Buffer): Value[] | undefined {
  const header = readVarint(bytes, 0);
  if (!(header.value >= 1 && header.value <= bytes.length)) return undefined;
  const kinds: number[] = [];
  let at = header.end;
  while (at < header.value) {
    const kind = readVarint(bytes, at);
    if (!(kind.value >= 0) || kind.value === 10 || kind.value === 11) return undefined;
    kinds.push(kind.value);
    at = kind.end;
  }
  // A record fills its cell exactly; one byte more or less is damage.
  const size = kinds.reduce((sum, kind) => sum + sizeOf(kind), 0);
  if (at !== header.value || at + size !== bytes.length) return undefined;
  return kinds.map((kind) => {
    const from = at;
    at += sizeOf(kind);
    return readValue(bytes.subarray(from, at), kind);
  });
}

const INTEGER_SIZES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function sizeOf(kind: number): number {
  return kind >= 12 ? (kind - (kind % 2 === 0 ? 12 : 13)) / 2 : (INTEGER_SIZES[kind] ?? 0);
}

function readValue(bytes: Buffer, kind: number): Value {
  if (kind === 0) return null;
  if (kind === 7) return bytes.readDoubleBE(0);
  if (kind === 8 || kind === 9) return kind - 8;
  if (kind >= 12) return kind % 2 === 0 ? Buffer.from(bytes) : bytes.toString("utf8");
  if (bytes.length <= 6) return bytes.readIntBE(0, bytes.length);
  const value = bytes.readBigInt64BE(0);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
