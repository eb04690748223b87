/** How a command ended, in the words of the runner. */
export interface Trailer {
  readonly end: "exited" | "cancelled" | "timeout" | "lost" | "failed";
  /** Unsigned, 32 bits. */
  readonly code: number;
  /** Processes that the command left behind. */
  readonly left: number;
  /** Of `failed`: an error code and what the system says. */
  readonly failure?: { readonly code: string; readonly reason: string };
}

const GRAMMAR =
  /^ end=(exited|cancelled|timeout|lost|failed) rc=(0|[1-9][0-9]{0,9}) left=(0|[1-9][0-9]{0,5})(?: code=([A-Z_]{1,40}) say=([A-Za-z0-9+/]*={0,2}))?$/;

/** Reads what stands on the runner's line after the nonce; `undefined` unless it is exactly a trailer. */
export function parseTrailer(text: string): Trailer | undefined {
  const [, end, rc, left, code, say] = GRAMMAR.exec(text) ?? [];
  const number = Number(rc);
  if (end === undefined || number > 0xffff_ffff || (end === "failed") !== (code !== undefined)) return undefined;
  return {
    end: end as Trailer["end"],
    code: number,
    left: Number(left),
    ...(code === undefined ? {} : { failure: { code, reason: Buffer.from(say ?? "", "base64").toString("utf8") } }),
  };
}
