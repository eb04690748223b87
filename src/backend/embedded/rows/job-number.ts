import { randomBytes } from "node:crypto";
import type { Connection } from "../../../database/connection.ts";
import { formatUuid7, parseUuid7 } from "../../../id.ts";

/**
 * A job's number in this database: 41 bits of milliseconds since 2025-01-01 and 12 bits of counter. It sorts by time,
 * appends to the end of every table and fits a JavaScript number. The UUIDv7 that users see is derived from it, so no
 * second index is needed: the same milliseconds, the same counter, and a tail that only this database can have made.
 */
export type JobNumber = number;

const START_MS = Date.UTC(2025, 0, 1);
const COUNTER = 4096;

/** Writes and reads the ids of one database. */
export class JobNumbers {
  readonly #key: readonly [number, number];
  #asked: { readonly id: string; readonly number: JobNumber | undefined } = { id: "", number: undefined };

  private constructor(key: readonly [number, number]) {
    this.#key = key;
  }

  /** The key stands in the database from its first writing on; a reader of a database without one gets `undefined`. */
  static load(db: Connection): JobNumbers | undefined {
    const row = db.get<{ value: string }>("SELECT value FROM setting WHERE name = 'id_key'");
    return row === undefined ? undefined : JobNumbers.of(row.value);
  }

  /** @param key as the database keeps it: 16 hexadecimal digits. */
  static of(key: string): JobNumbers {
    const bytes = Buffer.from(key.padEnd(16, "0"), "hex");
    return new JobNumbers([bytes.readUInt32LE(0), bytes.readUInt32LE(4)]);
  }

  /** Makes the key when the database has none. Inside a transaction. */
  static create(db: Connection): JobNumbers {
    db.run(
      "INSERT INTO setting (name, value) VALUES ('id_key', ?) ON CONFLICT DO NOTHING",
      randomBytes(8).toString("hex"),
    );
    return JobNumbers.load(db) as JobNumbers;
  }

  /** The id of a job's number. */
  idOf(number: JobNumber): string {
    const ms = Math.floor(number / COUNTER);
    const [tailHigh, tailLow] = this.#tail(number);
    return formatUuid7({ unixMs: ms + START_MS, counter: number % COUNTER, tailHigh, tailLow });
  }

  /** The number of an id, or `undefined` when this database has not made it. */
  numberOf(id: string): JobNumber | undefined {
    // A job that makes a thousand children is asked after three times for each.
    if (id !== this.#asked.id) this.#asked = { id, number: this.#read(id) };
    return this.#asked.number;
  }

  #read(id: string): JobNumber | undefined {
    const parts = parseUuid7(id);
    if (parts === undefined || parts.unixMs < START_MS) return undefined;
    const number = (parts.unixMs - START_MS) * COUNTER + parts.counter;
    if (!Number.isSafeInteger(number)) return undefined;
    const [tailHigh, tailLow] = this.#tail(number);
    return tailHigh === parts.tailHigh && tailLow === parts.tailLow ? number : undefined;
  }

  /**
   * 62 bits of the number mixed with the key (the finaliser of MurmurHash3, https://github.com/aappleby/smhasher). It
   * tells a mistyped or foreign id from one of ours; it is no secret and protects nothing.
   */
  #tail(number: JobNumber): readonly [number, number] {
    const high = mix((Math.floor(number / 0x1_0000_0000) ^ this.#key[0]) >>> 0);
    const low = mix(((number >>> 0) ^ high ^ this.#key[1]) >>> 0);
    return [mix((high ^ low) >>> 0) >>> 2, low];
  }
}

/** The next number: after the newest, and never before the time. Inside a transaction. */
export function nextNumber(newest: JobNumber, nowMs: number): JobNumber {
  return Math.max(newest + 1, (nowMs - START_MS) * COUNTER);
}

/** When a job was accepted, in Unix milliseconds. */
export function acceptedAtMs(number: JobNumber): number {
  return Math.floor(number / COUNTER) + START_MS;
}

/** The smallest number of a job that could have been accepted at this time. */
export function firstNumberAt(unixMs: number): JobNumber {
  return Math.max(0, (unixMs - START_MS) * COUNTER);
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
