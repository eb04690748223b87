import type { PageFile } from "./page-file.ts";
import { readRecord, readVarint, type Value } from "./record.ts";

/** The shape of a page of a table or an index. */
export interface PageShape {
  /** `rows`: a leaf of an ordinary table; `keys`: an index, or a table without row numbers, whose inner pages hold rows too. */
  readonly kind: "rows" | "row-tree" | "keys" | "key-tree";
  readonly children: readonly number[];
  /** Where its cells begin. */
  readonly cells: readonly number[];
  /** Cells that lie outside of the page. */
  readonly broken: number;
}

/** One row. */
export interface Row {
  /** Its number, in an ordinary table. */
  readonly rowid: number | undefined;
  readonly values: readonly Value[];
}

const KINDS: Readonly<Record<number, PageShape["kind"]>> = { 2: "key-tree", 5: "row-tree", 10: "keys", 13: "rows" };

/** Reads a page's head (https://www.sqlite.org/fileformat2.html#b_tree_pages); `undefined` when it is none, or is damaged as a whole. */
export function readShape(file: PageFile, page: number): PageShape | undefined {
  return shapeOf(file, file.read(page), page);
}

/** Reads the rows of a page; `broken` counts those that cannot be read. */
export function readRows(file: PageFile, page: number): { readonly rows: readonly Row[]; readonly broken: number } {
  const bytes = file.read(page);
  const shape = shapeOf(file, bytes, page);
  if (shape === undefined || shape.kind === "row-tree") return { rows: [], broken: 0 };
  const found = shape.cells.map((at) => readCell(file, bytes, shape.kind === "key-tree" ? at + 4 : at, shape.kind));
  const rows = found.filter((row) => row !== undefined);
  return { rows, broken: shape.broken + found.length - rows.length };
}

function shapeOf(file: PageFile, bytes: Buffer, page: number): PageShape | undefined {
  const start = page === 1 ? 100 : 0;
  const kind = KINDS[bytes[start] ?? 0];
  if (kind === undefined) return undefined;
  const isInner = kind === "row-tree" || kind === "key-tree";
  const pointers = start + (isInner ? 12 : 8);
  const count = bytes.readUInt16BE(start + 3);
  const content = pointers + 2 * count;
  if (content > file.usable) return undefined;
  const cells = Array.from({ length: count }, (_, index) => bytes.readUInt16BE(pointers + 2 * index)).filter(
    (at) => at >= content && at + 4 <= file.usable,
  );
  const children = isInner ? [...cells, start + 8].map((at) => bytes.readUInt32BE(at)) : [];
  return { kind, children, cells, broken: count - cells.length };
}

function readCell(file: PageFile, bytes: Buffer, at: number, kind: PageShape["kind"]): Row | undefined {
  const size = readVarint(bytes, at);
  const rowid = kind === "rows" ? readVarint(bytes, size.end) : undefined;
  if (!(size.value >= 1 && size.value < 2 ** 31)) return undefined;
  const payload = readPayload(file, bytes, rowid?.end ?? size.end, { size: size.value, isRow: kind === "rows" });
  const values = payload === undefined ? undefined : readRecord(payload);
  return values === undefined ? undefined : { rowid: rowid?.value, values };
}

/** What does not fit on the page goes on in a chain of others. */
function readPayload(
  file: PageFile,
  bytes: Buffer,
  at: number,
  { size, isRow }: { readonly size: number; readonly isRow: boolean },
): Buffer | undefined {
  const { usable } = file;
  const most = isRow ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (size <= most) return at + size <= usable ? bytes.subarray(at, at + size) : undefined;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((size - least) % (usable - 4));
  const local = fitting <= most ? fitting : least;
  if (at + local + 4 > usable) return undefined;
  const parts = [bytes.subarray(at, at + local)];
  let left = size - local;
  let next = bytes.readUInt32BE(at + local);
  while (left > 0) {
    if (next < 2 || next > file.pageCount) return undefined;
    const page = file.read(next);
    const taken = Math.min(left, usable - 4);
    parts.push(page.subarray(4, 4 + taken));
    left -= taken;
    next = page.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}
