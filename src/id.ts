import { z } from "zod";

/**
 * Ids are UUIDs of version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 12 bits of counter, 62 bits of tail.
 * They sort by time and never hold a path, so an id may stand in a file name.
 */
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The shape of a job's id at every border: a lower-case UUIDv7. */
export const JobId = z
  .string()
  .regex(UUID7, { error: "is not a job id (a UUIDv7 such as 01933b5e-7c00-7000-8000-0123456789ab)" })
  .describe("The job's id, as `job_id` was printed.");

/** True for the text of a UUIDv7. */
export function isUuid7(text: string): boolean {
  return UUID7.test(text);
}

/** The four parts of a UUIDv7 that we set; all unsigned. */
export interface Uuid7Parts {
  /** Unix time in milliseconds, below 2^48. */
  readonly unixMs: number;
  /** 12 bits. */
  readonly counter: number;
  /** The upper 30 bits of the tail. */
  readonly tailHigh: number;
  /** The lower 32 bits of the tail. */
  readonly tailLow: number;
}

/** Writes the text of a UUIDv7 from its parts. */
export function formatUuid7({ unixMs, counter, tailHigh, tailLow }: Uuid7Parts): string {
  const high = Math.floor(unixMs / 0x1_0000);
  return `${hex32(high)}-${hex16(unixMs % 0x1_0000)}-${hex16(0x7000 | counter)}-${hex16(0x8000 | (tailHigh >>> 16))}-${hex16(tailHigh & 0xffff)}${hex32(tailLow)}`;
}

/** Two digits for each byte: a table is several times as fast as `toString(16).padStart`. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex16(value: number): string {
  return `${HEX[value >>> 8]}${HEX[value & 0xff]}`;
}

/** Eight hexadecimal digits of an unsigned number of 32 bits. */
export function hex32(value: number): string {
  return hex16(value >>> 16) + hex16(value & 0xffff);
}

/** Reads the parts of a UUIDv7; `undefined` when the text is none. */
export function parseUuid7(text: string): Uuid7Parts | undefined {
  if (!UUID7.test(text)) return undefined;
  return {
    unixMs: Number.parseInt(text.slice(0, 8) + text.slice(9, 13), 16),
    counter: Number.parseInt(text.slice(15, 18), 16),
    tailHigh: ((Number.parseInt(text.slice(19, 23), 16) & 0x3fff) << 16) | Number.parseInt(text.slice(24, 28), 16),
    tailLow: Number.parseInt(text.slice(28), 16),
  };
}
