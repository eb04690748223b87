/** What can be completed. */
export interface CompletionWords {
  readonly commands: readonly { readonly name: string; readonly summary: string; readonly flags: readonly string[] }[];
  readonly globals: readonly string[];
}

const PROGRAMS = ["windlass", "win-automation"];

/** The script of each shell. */
export const SHELLS: Readonly<Record<string, (words: CompletionWords) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The words that may follow each beginning: the groups first, then their commands. */
function nextWords({ commands }: CompletionWords): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, Set<string>>([["", new Set()]]);
  for (const { name } of commands) {
    const [first = "", second] = name.split(" ");
    next.get("")?.add(first);
    if (second !== undefined) next.set(first, (next.get(first) ?? new Set()).add(second));
  }
  return new Map([...next].map(([beginning, words]) => [beginning, [...words]]));
}

/** `case` branches: what stands behind each beginning and each command. */
function branches(words: CompletionWords): string {
  const nouns = [...nextWords(words)].map(([beginning, next]) => `    "${beginning}") words="${next.join(" ")}" ;;`);
  const flags = words.commands.map(
    ({ name, flags: own }) => `    "${name}") flags="${[...own, ...words.globals].join(" ")}" ;;`,
  );
  return [
    '  case "$command" in',
    ...nouns,
    "  esac",
    '  case "$command" in',
    ...flags,
    `    *) flags="${words.globals.join(" ")}" ;;`,
    "  esac",
  ].join("\n");
}

function bashScript(words: CompletionWords): string {
  return `# bash completion of windlass
_windlass() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="" words="" flags="" index word
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    [[ "$word" == -* ]] && continue
    case " ${names(words)} " in
      *" \${command:+\${command}_}$word "*) command="\${command:+$command }$word" ;;
    esac
  done
${branches(words)}
  if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ -n "$words" ]]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
  else COMPREPLY=($(compgen -f -- "$current")); fi
}
${PROGRAMS.map((program) => `complete -o filenames -F _windlass ${program}`).join("\n")}
`;
}

/** Groups and commands as one word each. */
function names({ commands }: CompletionWords): string {
  const groups = commands.map(({ name }) => name.split(" ")[0] ?? "");
  return [...new Set([...groups, ...commands.map(({ name }) => name.replace(" ", "_"))])].join(" ");
}

function zshScript(words: CompletionWords): string {
  return `#compdef ${PROGRAMS.join(" ")}
# zsh completion of windlass
_windlass() {
  local command="" words_left="" flags="" word index
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    [[ "$word" == -* ]] && continue
    case " ${names(words)} " in
      *" \${command:+\${command// /_}_}$word "*) command="\${command:+$command }$word" ;;
    esac
  done
${branches(words).replaceAll(/\bwords="/g, 'words_left="')}
  if [[ "\${words[CURRENT]}" == -* ]]; then compadd -- \${(z)flags}
  elif [[ -n "$words_left" ]]; then compadd -- \${(z)words_left}
  else _files; fi
}
# Found by the name of this file it is called; sourced it is registered.
if [ "$funcstack[1]" = "_windlass" ]; then _windlass "$@"; else compdef _windlass ${PROGRAMS.join(" ")}; fi
`;
}

function fishScript(words: CompletionWords): string {
  const next = nextWords(words);
  const groups = [...next.keys()].filter((name) => name !== "");
  const lines = PROGRAMS.flatMap((program) => [
    ...(next.get("") ?? []).map(
      (word) => `complete -c ${program} -f -n __fish_use_subcommand -a ${word}${describe(word)}`,
    ),
    ...groups.flatMap((group) =>
      (next.get(group) ?? []).map(
        (word) =>
          `complete -c ${program} -f -n "__fish_seen_subcommand_from ${group}" -a ${word}${describe(`${group} ${word}`)}`,
      ),
    ),
    ...words.commands.flatMap(({ name, flags }) =>
      flags.map((flag) => `complete -c ${program} -n "${seen(name)}" -l ${flag.slice(2)}`),
    ),
    ...words.globals.map((flag) => `complete -c ${program} -l ${flag.slice(2)}`),
  ]);
  return `# fish completion of windlass\n${lines.join("\n")}\n`;

  function describe(name: string): string {
    const summary = words.commands.find((command) => command.name === name)?.summary;
    return summary === undefined ? "" : ` -d '${summary.replaceAll("'", "\\'")}'`;
  }
}

/** Every word of the command stands on the line. */
function seen(name: string): string {
  return name
    .split(" ")
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join("; and ");
}
