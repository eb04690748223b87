import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, inflateRawSync } from "node:zlib";

/** Secrets that must not be found, by what they are. */
export type Canaries = Readonly<Record<string, string>>;

/** Where one was found after all, and in which form. */
export interface Find {
  readonly canary: string;
  readonly form: string;
  readonly where: string;
  /** What stands before it, which says who wrote it. */
  readonly before: string;
}

/** The forms in which a program might let a secret slip out. */
const FORMS: Readonly<Record<string, (text: string) => readonly Buffer[]>> = {
  plain: (text) => [Buffer.from(text)],
  "UTF-16": (text) => [Buffer.from(text, "utf16le")],
  // The inner digits of each alignment: those that do not depend on what stands around it.
  base64: (text) => [Buffer.from(text), Buffer.from(text, "utf16le")].flatMap(base64Cores),
  hexadecimal: (text) => [Buffer.from(Buffer.from(text).toString("hex"))],
  "percent-encoded": (text) => [encodeURIComponent(text), everyByte(text), everyByte(text).toLowerCase()].map(utf8),
  "other slashes": (text) =>
    [text.replaceAll("/", "\\"), text.replaceAll("/", "\\/"), text.replaceAll("/", "\\\\")].map(utf8),
  "other case": (text) => [text.toUpperCase(), text.toLowerCase()].map(utf8),
};

const utf8 = (text: string): Buffer => Buffer.from(text);

function base64Cores(bytes: Buffer): readonly Buffer[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const core = text.slice(shift === 0 ? 0 : 4, Math.floor((shift + bytes.length) / 3) * 4);
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")].map(utf8);
  });
}

function everyByte(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase()}`).join("");
}

/** Finds canaries in bytes, in every form. */
export class CanaryScan {
  readonly #needles: readonly { readonly canary: string; readonly form: string; readonly bytes: Buffer }[];

  constructor(canaries: Canaries) {
    const known = new Set<string>();
    this.#needles = Object.entries(canaries)
      .flatMap(([canary, text]) =>
        Object.entries(FORMS).flatMap(([form, write]) => write(text).map((bytes) => ({ canary, form, bytes }))),
      )
      // Without a slash, say, the other slashes are none.
      .filter(({ bytes }) => !known.has(bytes.toString("latin1")) && known.add(bytes.toString("latin1")));
  }

  in(where: string, content: Buffer | string): readonly Find[] {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    return this.#needles.flatMap(({ canary, form, bytes: needle }) => {
      const at = bytes.indexOf(needle);
      if (at === -1) return [];
      return [{ canary, form, where, before: bytes.toString("latin1", Math.max(0, at - 80), at) }];
    });
  }

  /** In the names and the content of every file below a folder, those inside archives too; links are not followed. */
  below(folder: string, isSkipped: (path: string) => boolean = () => false): readonly Find[] {
    return filesBelow(folder)
      .filter((path) => !isSkipped(path))
      .flatMap((path) => [
        ...this.in(`the name of ${path}`, path.slice(folder.length)),
        ...contentsOf(path).flatMap(({ name, bytes }) => this.in(name, bytes)),
      ]);
  }
}

/** Every regular file below a folder. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/** Files and folders below one that others than their owner may look into; sockets too. */
export function openToOthers(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    const open = !entry.isSymbolicLink() && (lstatSync(path).mode & 0o077) !== 0 ? [path] : [];
    return entry.isDirectory() ? [...open, ...openToOthers(path)] : open;
  });
}

interface Content {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The bytes of a file and, where it is an archive, of what is packed into it. */
export function contentsOf(path: string): readonly Content[] {
  const bytes = readFileSync(path);
  const itself = { name: path, bytes };
  if (path.endsWith(".zip")) return [itself, ...unzip(bytes).map((one) => ({ ...one, name: `${path}!${one.name}` }))];
  return path.endsWith(".gz") ? [itself, { name: `${path}!`, bytes: gunzipSync(bytes) }] : [itself];
}

/** By the directory at the end; local headers may leave the lengths open. */
function unzip(archive: Buffer): readonly Content[] {
  const entries: Content[] = [];
  const end = archive.lastIndexOf("PK\x05\x06");
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, noteLength] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const name = archive.toString("utf8", at + 46, at + 46 + (nameLength ?? 0));
    const local = archive.readUInt32LE(at + 42);
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const packed = archive.subarray(from, from + archive.readUInt32LE(at + 20));
    entries.push({ name, bytes: archive.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed) });
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (noteLength ?? 0);
  }
  return entries;
}

/** Looks at every process of this machine again and again. */
export class ProcessWatch implements Disposable {
  readonly #seen = new Map<
    string,
    { readonly place: "arguments" | "environment"; readonly who: string; readonly bytes: Buffer }
  >();
  readonly #timer: NodeJS.Timeout;

  /** @param mayKnow of a command line: its environment is meant to hold them. */
  constructor(mayKnow: (commandLine: string) => boolean) {
    const look = (): void => {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        const line = readProcess(pid, "cmdline");
        if (line.length === 0) continue;
        const who = line.toString().replaceAll("\0", " ").trim();
        this.#seen.set(`arguments ${who}`, { place: "arguments", who, bytes: line });
        const key = `environment ${pid} ${who}`;
        if (mayKnow(who) || this.#seen.has(key)) continue;
        const environment = readProcess(pid, "environ");
        // Between fork and exec it is its parent still.
        if (!readProcess(pid, "cmdline").equals(line)) continue;
        this.#seen.set(key, { place: "environment", who, bytes: environment });
      }
    };
    look();
    this.#timer = setInterval(look, 10);
  }

  /** Command lines that were seen. */
  get commandLines(): readonly string[] {
    return [...this.#seen.values()].filter(({ place }) => place === "arguments").map(({ who }) => who);
  }

  finds(scan: CanaryScan): readonly Find[] {
    return [...this.#seen.values()].flatMap(({ place, who, bytes }) =>
      scan.in(`${place} of ${who.slice(0, 300)}`, bytes),
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function readProcess(pid: string, file: "cmdline" | "environ"): Buffer {
  try {
    return readFileSync(`/proc/${pid}/${file}`);
  } catch {
    // It has ended, or is another account's.
    return Buffer.alloc(0);
  }
}
