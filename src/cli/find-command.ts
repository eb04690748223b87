import { AppError } from "../error.ts";
import { nearest } from "../job/nearest.ts";
import type { CommandEntry } from "./command.ts";
import type { Flag } from "./flag.ts";

/** What the front of a command line says. */
export interface FrontOfLine {
  /** Global flags before the command's name and inside it. */
  readonly leading: readonly string[];
  /** The words of the name: none, a group such as `jobs`, or a command. */
  readonly words: readonly string[];
  /** Everything behind the name. */
  readonly argv: readonly string[];
}

/**
 * Splits a command line behind the name of its command; flags that stand before the name are passed over.
 *
 * @throws AppError `USAGE` for an unknown command, with the nearest names.
 */
export function findCommand(
  argv: readonly string[],
  commands: readonly Pick<CommandEntry, "name">[],
  flags: readonly Flag[],
): FrontOfLine {
  const leading: string[] = [];
  const words: string[] = [];
  let index = 0;
  while (index < argv.length && !isComplete(words, commands)) {
    const argument = argv[index] ?? "";
    if (argument === "--") break;
    index++;
    if (argument.startsWith("-")) {
      leading.push(argument);
      const value = argv[index];
      if (takesNext(argument, flags) && value !== undefined) leading.push(argv[index++] ?? "");
    } else {
      words.push(argument);
      if (!isBeginning(words, commands)) throw unknownCommand(words, commands);
    }
  }
  return { leading, words, argv: argv.slice(index) };
}

function isComplete(words: readonly string[], commands: readonly Pick<CommandEntry, "name">[]): boolean {
  return commands.some(({ name }) => name === words.join(" "));
}

function isBeginning(words: readonly string[], commands: readonly Pick<CommandEntry, "name">[]): boolean {
  const text = words.join(" ");
  return commands.some(({ name }) => name === text || name.startsWith(`${text} `));
}

function takesNext(argument: string, flags: readonly Flag[]): boolean {
  return flags.some(({ name, kind }) => kind !== "boolean" && argument === `--${name}`);
}

function unknownCommand(words: readonly string[], commands: readonly Pick<CommandEntry, "name">[]): AppError {
  const text = words.join(" ");
  const known = commands.map(({ name }) => name);
  // Nothing is like an empty word, and everything is as near as its own length.
  const names = words.at(-1) === "" ? [] : nearest(text, known, 3);
  return new AppError("USAGE", `there is no command ${JSON.stringify(text)}; ${hintFor(text, names)}`);
}

/** `exec` and whatever has dots between its words, as no command has. Which types there are is known only to who loads them. */
const JOB_TYPE = /^(exec|[\w-]+(\.[\w-]+)+)$/;

function hintFor(text: string, names: readonly string[]): string {
  if (names.length > 0) return `did you mean \`windlass ${names.join("` or `windlass ")}\`?`;
  return JOB_TYPE.test(text)
    ? `if it is a job type, \`windlass run ${text}\` runs one`
    : "`windlass --help` lists them";
}
