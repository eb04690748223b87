/**
 * Reads the fields of an SSH blob one after the other (RFC 4251, section 5). Lengths are the sender's word: each is held
 * against what is left before anything is taken, and a field that does not fit is `undefined`, as is all after it.
 */
export class SshBlob {
  readonly #bytes: Uint8Array;
  #at: number | undefined = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** So many bytes as they stand. */
  bytes(count: number): Uint8Array | undefined {
    if (this.#at === undefined || count > this.#bytes.length - this.#at) {
      this.#at = undefined;
      return undefined;
    }
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  uint32(): number | undefined {
    const taken = this.bytes(4);
    return taken === undefined ? undefined : new DataView(taken.buffer, taken.byteOffset, 4).getUint32(0);
  }

  /** Bytes behind their length. */
  string(): Uint8Array | undefined {
    const length = this.uint32();
    return length === undefined ? undefined : this.bytes(length);
  }

  /** A string of printable ASCII, as names are. */
  name(): string | undefined {
    const taken = this.string();
    return taken?.every((byte) => byte > 0x20 && byte < 0x7f) ? String.fromCharCode(...taken) : undefined;
  }

  /** True when everything was read and nothing is left. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
}

/** Reads base64 (with the line breaks of an armor); `undefined` for a text that is none. */
export function readBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/[\r\n]/g, "");
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return undefined;
  return Uint8Array.from(atob(compact), (unit) => unit.charCodeAt(0));
}
