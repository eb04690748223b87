import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { AppError } from "../../error.ts";
import { readLogPages } from "./log-pages.ts";

/** Page sizes that SQLite knows. */
const SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

/**
 * The pages of a database as they are on disk, its write-ahead log included, read without SQLite: so one damaged page
 * hides no other (https://www.sqlite.org/fileformat2.html).
 */
export class PageFile implements Disposable {
  readonly pageSize: number;
  /** Bytes of a page that SQLite uses. */
  readonly usable: number;
  readonly pageCount: number;
  readonly #descriptor: number;
  readonly #log: ReadonlyMap<number, { readonly descriptor: number; readonly offset: number }>;
  readonly #logDescriptor: number | undefined;

  private constructor(path: string) {
    this.#descriptor = openSync(path, "r");
    this.#logDescriptor = existsSync(`${path}-wal`) ? openSync(`${path}-wal`, "r") : undefined;
    const header = Buffer.alloc(100);
    readSync(this.#descriptor, header, 0, 100, 0);
    const log = this.#logDescriptor === undefined ? undefined : readLogPages(this.#logDescriptor);
    const size = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16);
    this.pageSize = log?.pageSize ?? (SIZES.includes(size) ? size : 4096);
    const reserved = header[20] ?? 0;
    this.usable = this.pageSize - (reserved <= 32 ? reserved : 0);
    const descriptor = this.#logDescriptor ?? -1;
    this.#log = new Map([...(log?.offsets ?? [])].map(([page, offset]) => [page, { descriptor, offset }]));
    const filePages = Math.ceil(fstatSync(this.#descriptor).size / this.pageSize);
    this.pageCount = Math.max(filePages, ...this.#log.keys());
  }

  /** @throws AppError `DATABASE_MISSING`. */
  static open(path: string): PageFile {
    if (!existsSync(path)) throw new AppError("DATABASE_MISSING", `there is no database at ${path}`);
    return new PageFile(path);
  }

  /** A page, numbered from 1; what the file no longer holds is zero. */
  read(page: number): Buffer {
    const bytes = Buffer.alloc(this.pageSize);
    const logged = this.#log.get(page);
    try {
      if (logged !== undefined) readSync(logged.descriptor, bytes, 0, this.pageSize, logged.offset);
      else readSync(this.#descriptor, bytes, 0, this.pageSize, (page - 1) * this.pageSize);
    } catch {
      // A sector that the disk cannot read: the page counts as damaged.
      bytes.fill(0);
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    if (this.#logDescriptor !== undefined) closeSync(this.#logDescriptor);
  }
}
