/** What stands in the place of a secret. */
export const MASK = "***";

/** Values with fewer characters are not masked: they stand in any output by chance, and masking them would ruin it. */
export const MASKED_CHARACTERS_MIN = 4;

/** Masks bytes that come in pieces. */
export interface RedactingStream {
  /**
   * Takes the next bytes and returns what is safe to write, which may be a view of the same memory; holds back what may be
   * the beginning of a secret.
   */
  push(chunk: Uint8Array): Uint8Array;
  /** Returns what was held back. The stream may be used again as a new one. */
  flush(): Uint8Array;
}

/** Masks secret values wherever text or bytes leave the program. */
export interface Redactor {
  /**
   * Masks a value from now on, in streams that are open too.
   *
   * @returns false when it is shorter than {@link MASKED_CHARACTERS_MIN} and so is not masked; the caller should say so.
   */
  add(value: string): boolean;
  text(text: string): string;
  /** Holds back at most the longest form of a secret minus one byte, and only while the end could be the beginning of one. */
  stream(): RedactingStream;
}

/**
 * Makes a redactor that knows no value yet.
 *
 * Masked are the value (with either kind of line end, and without white space around it), its base64 and base64url in
 * all three alignments inside a longer text, its percent-encodings and its JSON escapes; in UTF-8, the value and
 * base64 in UTF-16LE too, which PowerShell writes. Matches that overlap become one mask. Not found is a value that was
 * cut, encoded twice, or wrapped into base64 lines.
 *
 * Measured on two busy cores, for 500 secrets and for 1: 260 to 350 MB/s of log lines, 127 to 182 MB/s of base64 text.
 */
export function createRedactor(): Redactor {
  const needles = new Map<string, Uint8Array>();
  let index: Index | undefined;
  return {
    add(value) {
      if ([...value].length < MASKED_CHARACTERS_MIN) return false;
      for (const form of formsOf(value)) needles.set(form.toString("latin1"), form);
      index = makeIndex([...needles.values()]);
      return true;
    },
    text(text) {
      if (index === undefined) return text;
      const bytes = Buffer.from(text);
      const { out } = scan(index, bytes, bytes.length, 0);
      return out.length === 1 && out[0]?.length === bytes.length ? text : Buffer.concat(out).toString();
    },
    stream() {
      let held: Uint8Array = EMPTY;
      let masked = 0; // So many of the held bytes lie under a mask that was written already.
      const take = (bytes: Uint8Array, until: number): Uint8Array => {
        if (index === undefined) return bytes;
        const { out, end } = scan(index, bytes, until, masked);
        // A copy, because the caller may use its buffer again; `slice` of a Buffer would be none.
        held = until < bytes.length ? Uint8Array.from(bytes.subarray(until)) : EMPTY;
        masked = Math.max(0, end - until);
        return out.length === 1 && out[0] !== undefined ? out[0] : Buffer.concat(out);
      };
      return {
        push(chunk) {
          const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
          return take(bytes, index === undefined ? bytes.length : holdFrom(index, bytes));
        },
        flush() {
          const out = take(held, held.length);
          held = EMPTY;
          masked = 0;
          return out;
        },
      };
    },
  };
}

const EMPTY = new Uint8Array(0);
const MASK_BYTES = Buffer.from(MASK);

/** Needles by their first four bytes, which every one of them has. */
interface Index {
  /** 1 at the hash of every first four bytes: one look-up a byte is all that most input costs. */
  readonly filter: Uint8Array;
  /** Longest first. */
  readonly byStart: ReadonlyMap<number, readonly Uint8Array[]>;
  /** The first one, two and three bytes of every needle, see {@link shortKey}. */
  readonly shortStarts: ReadonlySet<number>;
  readonly longest: number;
}

const hash = (start: number): number => Math.imul(start, 0x9e3779b1) >>> 16;
const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const startAt = (bytes: Uint8Array, at: number): number =>
  byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);

/** A number for the fewer than four bytes from `at` to the end. */
const shortKey = (bytes: Uint8Array, at: number): number => ((bytes.length - at) << 24) | startAt(bytes, at);

function makeIndex(needles: readonly Uint8Array[]): Index {
  const filter = new Uint8Array(65_536);
  const byStart = new Map<number, Uint8Array[]>();
  const shortStarts = new Set<number>();
  const longestFirst = needles.toSorted((a, b) => b.length - a.length);
  for (const needle of longestFirst) {
    const start = startAt(needle, 0);
    filter[hash(start)] = 1;
    byStart.set(start, [...(byStart.get(start) ?? []), needle]);
    for (const length of [1, 2, 3]) shortStarts.add(shortKey(needle.subarray(0, length), 0));
  }
  return { filter, byStart, shortStarts, longest: longestFirst[0]?.length ?? 0 };
}

/**
 * Masks every needle that begins before `until`.
 *
 * @param masked bytes at the front that lie under a mask already written.
 * @returns the pieces to write, and where the last mask ends, which may be behind `until`.
 */
function scan(index: Index, bytes: Uint8Array, until: number, masked: number): { out: Uint8Array[]; end: number } {
  const { filter, byStart } = index;
  const out: Uint8Array[] = [];
  const last = Math.min(until, bytes.length - 3);
  let end = masked;
  let start = startAt(bytes, 0) << 8;
  for (let at = 0; at < last; at++) {
    start = (start >>> 8) | (byteAt(bytes, at + 3) << 24);
    if (filter[hash(start)] === 0) continue;
    const needle = byStart.get(start)?.find((candidate) => holds(bytes, at, candidate, candidate.length));
    if (needle === undefined) continue;
    if (at >= end) {
      if (at > end) out.push(bytes.subarray(end, at));
      out.push(MASK_BYTES);
    }
    end = Math.max(end, at + needle.length);
  }
  if (end < until) out.push(bytes.subarray(end, until));
  return { out, end };
}

/** Where the first piece of the end begins that could grow into a needle; the length when there is none. */
function holdFrom({ byStart, shortStarts, longest }: Index, bytes: Uint8Array): number {
  for (let at = Math.max(0, bytes.length - longest + 1); at < bytes.length; at++) {
    const left = bytes.length - at;
    const grows =
      left < 4
        ? shortStarts.has(shortKey(bytes, at))
        : byStart.get(startAt(bytes, at))?.some((needle) => needle.length > left && holds(bytes, at, needle, left));
    if (grows) return at;
  }
  return bytes.length;
}

function holds(bytes: Uint8Array, at: number, needle: Uint8Array, length: number): boolean {
  if (at + length > bytes.length) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== needle[i]) return false;
  return true;
}

/** Every form in which a value is masked; some may be equal. */
function formsOf(value: string): readonly Buffer[] {
  const given = value.toWellFormed();
  const lines = given.replaceAll("\r\n", "\n");
  const texts = [given, lines, lines.replaceAll("\n", "\r\n")].flatMap((text) => [text, text.trim()]);
  return texts
    .filter((text) => [...text].length >= MASKED_CHARACTERS_MIN)
    .flatMap((text) => {
      const utf8 = Buffer.from(text);
      const utf16 = Buffer.from(text, "utf16le");
      const written = [...percentForms(text, utf8), ...jsonForms(text), ...base64Forms(utf8), ...base64Forms(utf16)];
      return [utf8, utf16, ...written.map((form) => Buffer.from(form))];
    });
}

/**
 * A value that begins `shift` bytes into a group of three gives other base64. Of each alignment: the digits that the value
 * alone decides, then those together with the digits at the end of a text that ends with the value.
 */
function base64Forms(bytes: Uint8Array): readonly string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const from = Math.ceil((shift * 8) / 6);
    const sure = text.slice(from, Math.floor(((shift + bytes.length) * 8) / 6));
    const forms = [sure, text.slice(from).replace(/=+$/, ""), text.slice(from)];
    return [...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))];
  });
}

/** As encodeURIComponent, RFC 3986, a form, encodeURI and Python's quote write it, and with every byte encoded; both cases of the digits. */
function percentForms(text: string, utf8: Uint8Array): readonly string[] {
  const component = encodeURIComponent(text);
  const strict = component.replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ v: text }).toString().slice(2);
  const every = [...utf8].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
  const upper = [component, strict, form, encodeURI(text), strict.replaceAll("%2F", "/"), every];
  return upper.flatMap((written) => [written, written.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

/** As JSON.stringify, and as writers do that also escape slashes, non-ASCII characters or what HTML gives a meaning. */
function jsonForms(text: string): readonly string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const escaped = [/[^\0-\x7f]/g, /[<>&\u2028\u2029]/g, /[<>&']/g, /[^\0-\x7f]|[<>&'+`]/g].flatMap((marks) => {
    const lower = plain.replace(marks, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    return [lower, lower.replace(/\\u[0-9a-f]{4}/g, (code) => `\\u${code.slice(2).toUpperCase()}`)];
  });
  return [plain, ...escaped].flatMap((written) => [written, written.replaceAll("/", "\\/")]);
}
