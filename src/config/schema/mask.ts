import { MASK } from "../../redact.ts";

const IN_URL = /(:\/\/[^:@/\s]*:)[^\s"]*@/g;
const IN_QUERY = /([?&](?:ssl)?password=)[^&\s"]*/gi;
// A text that was refused may be a broken URL, so here a scheme is not needed.
const BEFORE_AT = /(:\/\/[^:@\s]*:|:(?!\/\/))[^\s"]*@/g;

/** Masks the password of each URL in a text. */
export function maskUrls(text: string): string {
  return text.replace(IN_URL, `$1${MASK}@`).replace(IN_QUERY, `$1${MASK}`);
}

/** Masks whatever could be a password in a value that was refused. */
export function maskRefused(text: string): string {
  return text.replace(BEFORE_AT, `$1${MASK}@`).replace(IN_QUERY, `$1${MASK}`);
}

/** The passwords that stand in a URL, as written. */
export function passwordsOf(url: string): readonly string[] {
  const found = [/:\/\/[^:@/\s]*:([^\s]*)@/.exec(url)?.[1], /[?&](?:ssl)?password=([^&\s]*)/i.exec(url)?.[1]];
  return found.filter((password) => password !== undefined && password !== "") as readonly string[];
}
