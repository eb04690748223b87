import { AppError } from "../error.ts";

/** JSON of any value: its text, `undefined` where JSON leaves the value out, or why JSON cannot hold it. */
export type JsonText =
  | { readonly kind: "json"; readonly text: string | undefined }
  | { readonly kind: "refused"; readonly reason: string; readonly cause: unknown };

/** Writes a value as JSON; a bigint, an object that holds itself and a `toJSON` that throws are refused. */
export function jsonOf(value: unknown): JsonText {
  try {
    return { kind: "json", text: JSON.stringify(value) as string | undefined };
  } catch (cause) {
    // Further lines of the reason draw the circle.
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    return { kind: "refused", reason, cause };
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
