import { type CompletionFlag, type CompletionWords, nextWords, PROGRAMS } from "./completion-scripts.ts";

/** The script of fish. */
export function fishScript(words: CompletionWords): string {
  const lines = PROGRAMS.flatMap((program) => [
    ...commandLines(words).map((line) => `complete -c ${program} ${line}`),
    ...words.commands.flatMap(({ name, flags }) =>
      flags.map((flag) => `complete -c ${program} -n "${seen(name)}" ${flagLine(flag)}`),
    ),
    ...words.globals.map((flag) => `complete -c ${program} ${flagLine(flag)}`),
  ]);
  return `# fish completion of windlass\n${lines.join("\n")}\n`;
}

/** Groups and commands, each as long as none of its kind stands there, and what a command's first word may be. */
function commandLines(words: CompletionWords): readonly string[] {
  const summaries = new Map(words.commands.map(({ name, summary }) => [name, summary]));
  const line = (condition: string, word: string, name: string): string => {
    const summary = summaries.get(name);
    return `-f -n "${condition}" -a ${word}${summary === undefined ? "" : ` -d ${quoted(summary)}`}`;
  };
  const groups = [...nextWords(words)].flatMap(([group, next]) =>
    next.map((word) =>
      group === ""
        ? line("__fish_use_subcommand", word, word)
        : line(`${seen(group)}; and ${unseen(next)}`, word, `${group} ${word}`),
    ),
  );
  const firsts = words.commands
    .filter(({ words: own }) => own.length > 0)
    .map(({ name, words: own }) => `-f -n "${seen(name)}; and ${unseen(own)}" -a "${own.join(" ")}"`);
  return [...groups, ...firsts];
}

function flagLine({ name, takesValue, choices }: CompletionFlag): string {
  if (choices.length > 0) return `-l ${name} -x -a "${choices.join(" ")}"`;
  return `-l ${name}${takesValue ? " -r -F" : ""}`;
}

/** Every word of the command stands on the line. */
function seen(name: string): string {
  return name
    .split(" ")
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join("; and ");
}

function unseen(words: readonly string[]): string {
  return `not __fish_seen_subcommand_from ${words.join(" ")}`;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
