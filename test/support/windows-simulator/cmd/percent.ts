import { win32 } from "node:path";

/** What `%…%` may stand for. */
export interface Variables {
  get(name: string): string | undefined;
}

/** The arguments of a batch file: `%0` to `%9` and `%*`. */
export interface BatchArguments {
  readonly words: readonly string[];
  /** Everything behind `%0`, raw. */
  readonly rest: string;
  /** Whole Windows path of the batch file. */
  readonly path: string;
  readonly cwd: string;
}

/**
 * The first phase of reading a line. On a command line an unknown `%NAME%` stays as it is and there is no `%%`; in a batch
 * file it becomes nothing and `%%` is a percent sign. Quotes and carets mean nothing here. The rules are those of
 * `set /?`, `call /?` and https://stackoverflow.com/a/7970912 (phase 1).
 */
export function expandPercent(line: string, variables: Variables, batch?: BatchArguments): string {
  let out = "";
  for (let at = 0; at < line.length; ) {
    const found = line.charAt(at) === "%" ? expandAt(line, at, variables, batch) : undefined;
    out += found?.text ?? line.charAt(at);
    at = found?.end ?? at + 1;
  }
  return out;
}

interface Found {
  readonly text: string;
  readonly end: number;
}

function expandAt(
  line: string,
  at: number,
  variables: Variables,
  batch: BatchArguments | undefined,
): Found | undefined {
  if (batch !== undefined) {
    if (line.charAt(at + 1) === "%") return { text: "%", end: at + 2 };
    const argument = batchArgument(line, at, batch);
    if (argument !== undefined) return argument;
  }
  const match = /^%([^%:]+|:[^%]*?|)(?::([^%]*))?%/.exec(line.slice(at));
  const [whole = "", name = "", modifier] = match ?? [];
  if (match === null || name === "") return batch === undefined ? undefined : { text: "", end: at + 1 };
  const end = at + whole.length;
  const value = variables.get(name);
  if (value === undefined) return batch === undefined ? undefined : { text: "", end };
  return { text: modifier === undefined ? value : modify(value, modifier), end };
}

/** `%NAME:~first,count%` and `%NAME:search=replacement%` (`set /?`). */
export function modify(value: string, modifier: string): string {
  const part = /^~(-?\d+)?(?:,(-?\d+))?$/.exec(modifier);
  if (part !== null) {
    const start = Number(part[1] ?? 0);
    const first = start < 0 ? Math.max(0, value.length + start) : start;
    if (part[2] === undefined) return value.slice(first);
    const count = Number(part[2]);
    return count < 0 ? value.slice(first, count) : value.slice(first, first + count);
  }
  const equals = modifier.indexOf("=");
  if (equals <= 0) return value;
  const search = modifier.slice(0, equals);
  const replacement = modifier.slice(equals + 1);
  if (search.startsWith("*")) {
    const found = value.toLowerCase().indexOf(search.slice(1).toLowerCase());
    return found === -1 ? value : replacement + value.slice(found + search.length - 1);
  }
  const pattern = new RegExp(search.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
  return value.replace(pattern, () => replacement);
}

function batchArgument(line: string, at: number, batch: BatchArguments): Found | undefined {
  const match = /^%(?:\*|(~[a-z]*)?(\d))/i.exec(line.slice(at));
  if (match === null) return undefined;
  const end = at + match[0].length;
  if (match[2] === undefined) return { text: batch.rest, end };
  const word = batch.words[Number(match[2])] ?? "";
  return {
    text: match[1] === undefined ? word : modifyPath(word, match[1].slice(1).toLowerCase(), match[2], batch),
    end,
  };
}

/** `%~dp0` and its like (`call /?`): without quotes, then the parts that the letters name. */
function modifyPath(word: string, letters: string, digit: string, batch: BatchArguments): string {
  const plain = word.replaceAll('"', "");
  if (letters === "") return plain;
  const whole = digit === "0" ? batch.path : win32.resolve(batch.cwd, plain);
  if (letters === "f") return whole;
  const { root, dir, name, ext } = win32.parse(whole);
  const folder = `${dir.slice(2)}${dir.endsWith("\\") ? "" : "\\"}`;
  const parts: Readonly<Record<string, string>> = { d: root.slice(0, 2), p: folder, n: name, x: ext };
  return [..."dpnx"].map((letter) => (letters.includes(letter) ? (parts[letter] ?? "") : "")).join("");
}
