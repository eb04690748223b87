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
  /** As `out` and `error`, for much: resolves when more may come. */
  write(stream: "out" | "error", bytes: Uint8Array): Promise<void>;
  /** Fires when standard output takes nothing more, with the error as its reason; what is written from then on is dropped. */
  readonly closed: AbortSignal;
}

/** The terminal of this process. */
export function processTerminal(options: { readonly noColour: boolean }): Terminal {
  const { stdout, stderr, env } = process;
  const isPerson = stdout.isTTY === true;
  const closed = new AbortController();
  // A pipe whose reader ended (`| head`) is no error of ours.
  stdout.on("error", (error) => closed.abort(error));
  stderr.on("error", () => undefined);
  return {
    isPerson,
    // https://no-color.org: any value that is not empty.
    hasColour: isPerson && !options.noColour && !env["NO_COLOR"] && env["TERM"] !== "dumb",
    // A terminal that does not know its width says 0.
    columns: stdout.columns || 80,
    logsToPerson: stderr.isTTY === true,
    out: (text) => void (closed.signal.aborted || stdout.write(text)),
    error: (text) => void stderr.write(text),
    closed: closed.signal,
    write: (stream, bytes) => writeBytes(stream === "out" ? stdout : stderr, bytes),
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

function writeBytes(stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.errored !== null || stream.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      for (const event of ["drain", "error", "close"]) stream.off(event, end);
      resolve();
    };
    for (const event of ["drain", "error", "close"]) stream.on(event, end);
  });
}
