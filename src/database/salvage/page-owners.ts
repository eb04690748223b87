import { type KnownTable, nameValues } from "./known-tables.ts";
import type { PageFile } from "./page-file.ts";
import { type PageShape, readRows, readShape } from "./tree-page.ts";

/** Which pages hold the rows of which table. */
export interface PageOwners {
  readonly pages: ReadonlyMap<string, readonly number[]>;
  /** Pages that are known by the shape of their rows alone; an index may look like a table. */
  readonly guessed: ReadonlySet<number>;
  /** Pages that could not be read, by the table or index that they belong to. */
  readonly lost: ReadonlyMap<string, number>;
}

/** An entry of the map that `auto_vacuum` keeps (https://www.sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages). */
interface MapEntry {
  readonly kind: number;
  readonly parent: number;
}
const [ROOT, TREE] = [1, 5];
/** Of a page that no tree names. */
const UNKNOWN = "unknown";

/**
 * Walks every tree from its root. What is not reached, because the page above it is damaged, is placed by the map of
 * parents that the file keeps elsewhere, else by the shape of its rows. Free pages are left out: they hold what was deleted.
 */
export function findOwners(file: PageFile, tables: ReadonlyMap<string, KnownTable>): PageOwners {
  return new OwnerSearch(file, tables).run();
}

class OwnerSearch {
  readonly #file: PageFile;
  readonly #tables: ReadonlyMap<string, KnownTable>;
  readonly #owners = new Map<number, string>();
  readonly #pages = new Map<string, number[]>();
  readonly #lost = new Map<string, number>();
  readonly #guessed = new Set<number>();
  #mapCache: { readonly page: number; readonly bytes: Buffer } | undefined;

  constructor(file: PageFile, tables: ReadonlyMap<string, KnownTable>) {
    this.#file = file;
    this.#tables = tables;
  }

  run(): PageOwners {
    for (const [name, root] of this.#roots()) this.#walk(name, root);
    for (let page = 2; page <= this.#file.pageCount; page++) if (!this.#owners.has(page)) this.#place(page);
    return { pages: this.#pages, guessed: this.#guessed, lost: this.#lost };
  }

  /** The trees that the schema names: the schema itself stands in the tree whose root is page 1. */
  #roots(): [string, number][] {
    const roots: [string, number][] = [];
    this.#walk("sqlite_schema", 1);
    for (const page of this.#pages.get("sqlite_schema") ?? []) {
      for (const { values } of readRows(this.#file, page).rows) {
        const [, name, , root] = values;
        if (typeof name === "string" && typeof root === "number" && root > 1) roots.push([name, root]);
      }
    }
    return roots;
  }

  #walk(name: string, root: number): void {
    const open = [root];
    for (let page = open.pop(); page !== undefined; page = open.pop()) {
      if (this.#owners.has(page)) continue;
      this.#owners.set(page, name);
      const found = page <= this.#file.pageCount ? readShape(this.#file, page) : undefined;
      if (found === undefined) this.#lose(name);
      else {
        // Backwards, so that the rows come out in the order of their keys.
        open.push(...found.children.toReversed());
        this.#keep(name, page, found);
      }
    }
  }

  #keep(name: string, page: number, found: PageShape): void {
    if (found.kind === "row-tree" || found.cells.length + found.broken === 0) return;
    const pages = this.#pages.get(name);
    if (pages === undefined) this.#pages.set(name, [page]);
    else pages.push(page);
  }

  #lose(name: string): void {
    this.#lost.set(name, (this.#lost.get(name) ?? 0) + 1);
  }

  #place(page: number): void {
    const entry = this.#entryOf(page);
    if (entry !== undefined && entry.kind !== TREE && entry.kind !== ROOT) return;
    const found = readShape(this.#file, page);
    const above = this.#ownerAbove(page);
    if (found === undefined) {
      if (entry !== undefined) this.#lose(above?.name ?? UNKNOWN);
      return;
    }
    const name = above?.name ?? this.#guess(page);
    if (name === undefined) return;
    if (above === undefined || this.#guessed.has(above.page)) this.#guessed.add(page);
    this.#owners.set(page, name);
    this.#keep(name, page, found);
  }

  #ownerAbove(page: number): { readonly page: number; readonly name: string } | undefined {
    let above = page;
    for (let depth = 0; depth < 20; depth++) {
      const entry = this.#entryOf(above);
      if (entry?.kind !== TREE) return undefined;
      above = entry.parent;
      const name = this.#owners.get(above);
      if (name !== undefined) return { page: above, name };
    }
    return undefined;
  }

  /** The one table whose rows look like these. */
  #guess(page: number): string | undefined {
    const { rows } = readRows(this.#file, page);
    if (rows.length === 0) return undefined;
    const fitting = [...this.#tables.values()].filter((table) =>
      rows.every((row) => nameValues(table, row) !== undefined),
    );
    return fitting.length === 1 ? fitting[0]?.name : undefined;
  }

  /** Each page of the map speaks for those that follow it. */
  #entryOf(page: number): MapEntry | undefined {
    const { usable, pageSize } = this.#file;
    const group = Math.floor(usable / 5) + 1;
    const locking = Math.floor(0x40000000 / pageSize) + 1;
    const base = Math.floor((page - 2) / group) * group + 2;
    const map = base === locking ? base + 1 : base;
    if (page <= map) return undefined;
    const at = 5 * (page - map - 1);
    const bytes = this.#mapPage(map);
    const kind = bytes[at] ?? 0;
    return kind >= 1 && kind <= 5 ? { kind, parent: bytes.readUInt32BE(at + 1) } : undefined;
  }

  #mapPage(page: number): Buffer {
    if (this.#mapCache?.page !== page) this.#mapCache = { page, bytes: this.#file.read(page) };
    return this.#mapCache.bytes;
  }
}
