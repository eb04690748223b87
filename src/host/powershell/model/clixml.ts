/** One text of a stream that PowerShell wrote as CLIXML. */
export interface ClixmlRecord {
  /** `Error`, `warning`, `verbose`, `debug`, `information`, `progress`, `Output`. */
  readonly stream: string;
  readonly text: string;
}

const HEADER = "#< CLIXML";
const END = "</Objs>";
/** The direct children of `Objs` are texts and objects; only texts have no elements inside. */
const TEXT = /<S S="([A-Za-z]+)"(?:\/>|>([^<]*)<\/S>)/g;
const ESCAPED = /_x([0-9A-Fa-f]{4})_/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of terminals begin with one
const COLOURS = /\u001b\[[0-9;]*m/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/**
 * Standard error of a PowerShell as its reader should see it. With `-EncodedCommand` PowerShell writes its own streams
 * there as XML, between lines of programs, which are passed on. Errors lose their colours; warnings, verbose and debug texts
 * get the words in front that a console shows; progress and information records go (information is on standard output).
 * Text that is not what it seems stays as it is.
 */
export function decodeClixml(text: string): string {
  let out = "";
  let from = 0;
  for (;;) {
    const at = text.indexOf(HEADER, from);
    if (at === -1) return out + text.slice(from);
    const block = readBlock(text, at);
    if (block === undefined) return out + text.slice(from);
    out += text.slice(from, at) + block.records.map(show).join("");
    from = block.end;
  }
}

/** The texts of the first CLIXML in `text`, all streams. */
export function clixmlRecords(text: string): readonly ClixmlRecord[] {
  const at = text.indexOf(HEADER);
  return at === -1 ? [] : (readBlock(text, at)?.records ?? []);
}

/** One header and every `Objs` that follows it. */
function readBlock(text: string, at: number): { records: readonly ClixmlRecord[]; end: number } | undefined {
  const records: ClixmlRecord[] = [];
  let end = at + HEADER.length;
  let found = false;
  for (;;) {
    const start = skipBlank(text, end);
    const close = text.startsWith("<Objs", start) ? text.indexOf(END, start) : -1;
    if (close === -1) break;
    found = true;
    end = close + END.length;
    records.push(...recordsOf(text.slice(start, close)));
  }
  return found ? { records, end } : undefined;
}

function skipBlank(text: string, from: number): number {
  let at = from;
  while (text[at] === "\n" || text[at] === "\r") at++;
  return at;
}

function recordsOf(xml: string): readonly ClixmlRecord[] {
  return [...xml.matchAll(TEXT)].map(([, stream = "", body = ""]) => ({ stream, text: unescaped(body) }));
}

/** First the entities of XML, then PowerShell's own escapes, which are UTF-16 units. */
function unescaped(body: string): string {
  return body
    .replace(/&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|([a-z]{2,4}));/g, entity)
    .replace(ESCAPED, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function entity(whole: string, hex?: string, decimal?: string, name?: string): string {
  if (name !== undefined) return ENTITIES[name] ?? whole;
  const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
}

function show({ stream, text }: ClixmlRecord): string {
  const plain = text.replace(COLOURS, "");
  switch (stream.toLowerCase()) {
    case "error":
      return plain;
    case "warning":
    case "verbose":
    case "debug":
      return `${stream.toUpperCase()}: ${plain}\n`;
    default:
      return "";
  }
}
