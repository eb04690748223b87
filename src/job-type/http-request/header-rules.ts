const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Printable Latin-1 and the tab, which is what one header line can carry (RFC 9110, section 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What would change where the request goes or where it ends; the program writes these itself. */
const OWN =
  /^(host|connection|keep-alive|content-length|transfer-encoding|te|trailer|upgrade|expect|http2-settings|proxy-.*)$/i;

/**
 * What is wrong with the name of a request header, or nothing.
 *
 * @param seen the names before it, in lower case.
 */
export function headerNameProblem(name: string, seen: ReadonlySet<string>): string | undefined {
  if (!NAME.test(name)) return "is not a header name";
  if (OWN.test(name)) return "is a header that Windlass writes itself";
  if (seen.has(name.toLowerCase())) return "is given twice";
  return undefined;
}

/** What is wrong with the value of a request header, or nothing. Never quotes the value: it may be a secret. */
export function headerValueProblem(value: string): string | undefined {
  return VALUE.test(value) ? undefined : "holds a line break or another character that a header cannot carry";
}
