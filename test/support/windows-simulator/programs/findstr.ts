import { readFileSync } from "node:fs";
import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import { realPath } from "../windows-path.ts";

/** `findstr [/i] [/v] [/c:TEXT | WORDS] [FILE]`: texts only, no patterns; any of several words is a hit. */
export function main(program: Program): number {
  const words: string[] = [];
  const flags = new Set<string>();
  let literal: string | undefined;
  for (const argument of program.args) {
    const text = /^\/c:(.*)$/i.exec(argument)?.[1];
    if (text !== undefined) literal = text;
    else if (/^\/[iv]$/i.test(argument)) flags.add(argument.slice(1).toLowerCase());
    else if (argument.startsWith("/")) throw new NotModelled(`findstr ${argument}`);
    else words.push(argument);
  }
  const [pattern = ""] = literal === undefined ? words.splice(0, 1) : [literal];
  if (literal === undefined && /[.*[\]^$\\]/.test(pattern)) throw new NotModelled(`the findstr pattern ${pattern}`);
  const searched = literal === undefined ? pattern.split(" ").filter((word) => word !== "") : [pattern];
  const [file] = words;
  const path = file === undefined ? undefined : realPath(program.context.folder, file, program.cwd);
  const text = (path === undefined ? program.readAll() : readFileSync(path)).toString("utf8");
  const fold = (value: string): string => (flags.has("i") ? value.toLowerCase() : value);
  const hits = text
    .split(/\r?\n/)
    .filter((line, index, lines) => index < lines.length - 1 || line !== "")
    .filter((line) => searched.some((word) => fold(line).includes(fold(word))) !== flags.has("v"));
  for (const line of hits) program.writeBytes(Buffer.from(`${line}\r\n`, "utf8"));
  return hits.length > 0 ? 0 : 1;
}
