import { configError } from "../../config/schema/setting.ts";
import { createRedactor, MASK } from "../../redact.ts";

/** The secret path of the browser server: whoever knows it can act as the account that the server runs under. */
export interface WsPath {
  /** With its leading slash, as the server compares it. */
  readonly value: string;
  /** Takes the path, and the address of any browser server, out of a text. */
  redact(text: string): string;
}

/** Shorter ones can be guessed. */
export const WS_PATH_CHARACTERS_WANTED = 16;

/** The part of an endpoint after its port: masked whatever it is, because a short path is found in any text by chance. */
const ENDPOINT = /\b(wss?:\/\/[^\s/"'`<>]+)\/[^\s"'`<>]*/gi;

/**
 * Reads the secret path.
 *
 * @throws AppError `CONFIG` when it is unset, or holds what a URL would change, so that no server could ever compare it.
 */
export function readWsPath(given: string | undefined): WsPath {
  if (given === undefined || given === "" || given === "/")
    throw configError(
      "playwright.ws_path",
      "is not set; put the secret path of the browser server (such as the output of `openssl rand -hex 32`) into the environment as WINDLASS_PLAYWRIGHT_WS_PATH",
    );
  const value = given.startsWith("/") ? given : `/${given}`;
  if (URL.parse(`ws://host${value}`)?.pathname !== value)
    throw configError("playwright.ws_path", "holds a character that a URL changes; use letters, digits, - and _");
  const redactor = createRedactor();
  redactor.add(value);
  redactor.add(value.slice(1));
  return { value, redact: (text) => redactor.text(text.replace(ENDPOINT, `$1/${MASK}`)) };
}
