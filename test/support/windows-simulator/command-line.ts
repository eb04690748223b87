/**
 * Splits a command line as the Microsoft C runtime does for `main`: the rules and the table of
 * https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments. A `""` inside a quoted part is a quote and
 * the part goes on, as the runtime has done since Visual C++ 2005; before, and in `CommandLineToArgvW` to this day, it ends
 * the part (https://github.com/MicrosoftDocs/cpp-docs/issues/3291). The first word is the program's name, with no escapes.
 */
export function splitCommandLine(line: string): readonly string[] {
  const name = programName(line);
  return [name.text, ...splitArguments(line.slice(name.end))];
}

/** What follows the first word, raw: what a program finds behind its own name. */
export function afterProgramName(line: string): string {
  return line.slice(programName(line).end);
}

function programName(line: string): { readonly text: string; readonly end: number } {
  let text = "";
  let quoted = false;
  let at = 0;
  for (; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === '"') quoted = !quoted;
    else if (!quoted && isBlank(char)) break;
    else text += char;
  }
  return { text, end: at };
}

/** The rules for every word but the first. */
export function splitArguments(line: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(line.charAt(at))) at++;
    if (at >= line.length) return words;
    const word = readWord(line, at);
    words.push(word.text);
    at = word.end;
  }
}

function readWord(line: string, start: number): { readonly text: string; readonly end: number } {
  let text = "";
  let quoted = false;
  let at = start;
  while (at < line.length && (quoted || !isBlank(line.charAt(at)))) {
    const slashes = countBackslashes(line, at);
    at += slashes;
    if (line.charAt(at) !== '"') {
      // Backslashes are themselves, and so is the character behind them, if it belongs to the word.
      text += "\\".repeat(slashes);
      if (slashes === 0) text += line.charAt(at++);
      continue;
    }
    text += "\\".repeat(Math.floor(slashes / 2));
    if (slashes % 2 === 1) text += '"';
    else if (quoted && line.charAt(at + 1) === '"') {
      text += '"';
      at++;
    } else quoted = !quoted;
    at++;
  }
  return { text, end: at };
}

function countBackslashes(line: string, start: number): number {
  let at = start;
  while (line.charAt(at) === "\\") at++;
  return at - start;
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t";
}

/** Quotes one argument so that {@link splitArguments} gives it back, as Win32-OpenSSH does for a shell that is not cmd. */
export function quoteArgument(argument: string): string {
  if (argument !== "" && !/[\s"]/.test(argument)) return argument;
  const escaped = argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1");
  return `"${escaped}"`;
}
