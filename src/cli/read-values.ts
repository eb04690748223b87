import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text as readStream } from "node:stream/consumers";
import { AppError } from "../error.ts";
import type { Flag } from "./flag.ts";
import type { Arguments } from "./read-arguments.ts";

/** What reading the values of flags needs of the outside. */
export interface ValueSources {
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
}

/**
 * Reads the texts of the flags that were given, by the kind of each.
 *
 * @throws AppError `USAGE` naming the flag and the value.
 */
export async function readValues(
  given: Arguments["values"],
  flags: readonly Flag[],
  sources: ValueSources,
): Promise<ReadonlyMap<string, unknown>> {
  const values = new Map<string, unknown>();
  for (const flag of flags) {
    const texts = given.get(flag.name);
    if (texts !== undefined) values.set(flag.name, await readValue(flag, texts, sources));
  }
  return values;
}

async function readValue(flag: Flag, given: readonly (string | boolean)[], sources: ValueSources): Promise<unknown> {
  const texts = given.map(String);
  const [first = ""] = texts;
  switch (flag.kind) {
    case "boolean":
      return given[0];
    case "text":
      return readReference(flag, first);
    case "number":
      return readNumber(flag, first);
    case "texts":
      return texts.map((text) => readReference(flag, text));
    case "pairs":
      return Object.fromEntries(texts.map((text) => readPair(flag, text)));
    case "json":
      return parseJson(flag, await readSource(flag, first, sources));
    case "value":
      return readAnyValue(first);
  }
}

function readNumber({ name }: Flag, text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text))
    throw new AppError("USAGE", `--${name} takes a number, not ${JSON.stringify(text)}`);
  return Number(text);
}

function readPair(flag: Flag, text: string): readonly [string, unknown] {
  const at = text.indexOf("=");
  if (at < 1) throw new AppError("USAGE", `--${flag.name} takes key=value, not ${JSON.stringify(text)}`);
  return [text.slice(0, at), readReference(flag, text.slice(at + 1))];
}

const REFERENCE = /^\{\s*"\$secret"\s*:/;

function readReference(flag: Flag, text: string): unknown {
  return flag.takesReference === true && REFERENCE.test(text) ? parseJson(flag, text) : text;
}

/** `404`, `[200,404]` and `true` are JSON; what is no JSON is a text. */
function readAnyValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function parseJson({ name }: Flag, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // The text is not repeated: it may hold what should not stand in a log.
    throw new AppError("USAGE", `--${name} is not JSON (${withoutText(reason)})`);
  }
}

/** V8 quotes the text in its message. */
function withoutText(reason: string): string {
  return reason.replace(/, ?(\.{3})?".*$/s, "").replace(/ in JSON/, "");
}

/**
 * Reads where a text of its own may be long: `-` is standard input, `@FILE` a file, anything else the text itself.
 *
 * @throws AppError `USAGE`
 */
export async function readSource(
  { name }: Pick<Flag, "name">,
  text: string,
  { cwd, stdin }: ValueSources,
): Promise<string> {
  if (text === "-") return readStream(stdin);
  if (!text.startsWith("@")) return text;
  const path = resolve(cwd, text.slice(1));
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new AppError("USAGE", `--${name}: ${path} cannot be read (${code})`, { cause: error });
  }
}
