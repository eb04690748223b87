/** Where a command writes, and what the reader on the other side is. */
export interface Terminal {
  /** True when standard output is read by a person. */
  readonly isPerson: boolean;
  readonly hasColour: boolean;
  readonly columns: number;
  /** True when standard error is read by a person. */
  readonly logsToPerson: boolean;
  out(text: string | Uint8Array): void;
  error(text: string | Uint8Array): void;
}

/** The terminal of this process. */
export function processTerminal(options: { readonly noColour: boolean }): Terminal {
  const { stdout, stderr, env } = process;
  const isPerson = stdout.isTTY === true;
  return {
    isPerson,
    // https://no-color.org: any value that is not empty.
    hasColour: isPerson && !options.noColour && !env["NO_COLOR"] && env["TERM"] !== "dumb",
    columns: stdout.columns ?? 80,
    logsToPerson: stderr.isTTY === true,
    out: (text) => void stdout.write(text),
    error: (text) => void stderr.write(text),
  };
}

/** Control characters but tab and line feed, and what turns the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is made harmless
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Makes terminal escapes visible instead of effective: text that came from a job must not move a cursor or set a title. */
export function neutralise(text: string): string {
  return text.replace(HARMFUL, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Styles that the program uses. */
const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Colours a text where the reader sees colours. */
export function style(terminal: Pick<Terminal, "hasColour">, name: keyof typeof STYLES, text: string): string {
  return terminal.hasColour ? `\u001b[${STYLES[name]}m${text}\u001b[0m` : text;
}
