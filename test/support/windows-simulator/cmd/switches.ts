/** The command line of `cmd.exe`. */
export interface Switches {
  /** What `/c` or `/k` is given, quotes stripped by the rule; `undefined` for a shell that reads its input. */
  readonly command: string | undefined;
  readonly staysOpen: boolean;
  readonly delayedExpansion: boolean;
  readonly extensions: boolean;
  readonly unicode: boolean;
}

/**
 * Reads the arguments of `cmd.exe`, raw as they stand behind its name, by the text of `cmd /?`
 * (https://learn.microsoft.com/windows-server/administration/windows-commands/cmd). `isExecutable` answers whether a text
 * is the name of an executable file.
 */
export function readSwitches(raw: string, isExecutable: (name: string) => boolean): Switches {
  let keepsQuotes = true;
  const found = { delayedExpansion: false, extensions: true, unicode: false };
  for (const match of raw.matchAll(/\/([a-z?])(:(on|off|[0-9a-f]{1,2}))?/gi)) {
    const letter = (match[1] ?? "").toLowerCase();
    const isOn = (match[3] ?? "on").toLowerCase() !== "off";
    if (letter === "c" || letter === "r" || letter === "k") {
      const command = stripQuotes(raw.slice(match.index + 2).trimStart(), keepsQuotes, isExecutable);
      return { ...found, command, staysOpen: letter === "k" };
    }
    if (letter === "s") keepsQuotes = false;
    if (letter === "v") found.delayedExpansion = isOn;
    if (letter === "e") found.extensions = isOn;
    if (letter === "u") found.unicode = true;
  }
  return { ...found, command: undefined, staysOpen: true };
}

/** The two numbered rules of `cmd /?`. */
function stripQuotes(command: string, keepsQuotes: boolean, isExecutable: (name: string) => boolean): string {
  if (keepsQuotes && isOneQuotedProgram(command, isExecutable)) return command;
  if (!command.startsWith('"')) return command;
  const last = command.lastIndexOf('"');
  if (last === 0) return command.slice(1);
  return command.slice(1, last) + command.slice(last + 1);
}

/** Exactly two quotes, nothing special and some blank between them, and together the name of an executable file. */
function isOneQuotedProgram(command: string, isExecutable: (name: string) => boolean): boolean {
  const parts = command.split('"');
  const between = parts[1] ?? "";
  return parts.length === 3 && !/[&<>()@^|]/.test(between) && /\s/.test(between) && isExecutable(between);
}
