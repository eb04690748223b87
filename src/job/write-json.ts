import { AppError } from "../error.ts";

/** JSON of any value: its text, `undefined` where JSON leaves the value out, or why JSON cannot hold it. */
export type JsonText =
  | { readonly kind: "json"; readonly text: string | undefined }
  | { readonly kind: "refused"; readonly reason: string; readonly cause: unknown };

/** Lists and objects inside of each other. Digests, masks and schemas walk a value with a call for each of them. */
const DEPTH_MAX = 1_000;

/** Writes a value as JSON; a bigint, an object that holds itself, one nested too deep and a `toJSON` that throws are refused. */
export function jsonOf(value: unknown): JsonText {
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined || !isDeep(text)) return { kind: "json", text };
    const reason = `more than ${DEPTH_MAX} lists and objects inside of each other`;
    return { kind: "refused", reason, cause: undefined };
  } catch (cause) {
    // Further lines of the reason draw the circle.
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    return { kind: "refused", reason, cause };
  }
}

function isDeep(text: string): boolean {
  // A level takes two characters; most values are shorter.
  if (text.length <= 2 * DEPTH_MAX) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const mark = text[at];
    if (mark === '"') at = endOfText(text, at);
    else if (mark === "]" || mark === "}") depth--;
    else if ((mark === "[" || mark === "{") && ++depth > DEPTH_MAX) return true;
  }
  return false;
}

/** Where a text of JSON ends that begins at a place: at the first quotation mark that is none of its own. */
function endOfText(json: string, begin: number): number {
  for (let at = begin + 1; ; at++) {
    at = json.indexOf('"', at);
    let first = at;
    while (json[first - 1] === "\\") first--;
    if ((at - first) % 2 === 0) return at;
  }
}

/**
 * Writes what somebody gives as JSON.
 *
 * @param what named in the error, such as `app.mail: the input`.
 * @throws AppError `INVALID_INPUT` for what JSON cannot hold, a function and `undefined`.
 */
export function writeJson(what: string, value: unknown): string {
  const json = jsonOf(value);
  if (json.kind === "refused")
    throw new AppError(
      "INVALID_INPUT",
      `${what} holds what JSON cannot (${json.reason}); give plain data, a big number as a text`,
      { cause: json.cause },
    );
  if (json.text === undefined)
    throw new AppError("INVALID_INPUT", `${what} is ${typeof value}; it must be a JSON value`);
  return json.text;
}
