/** A flag as shells complete it. */
export interface CompletionFlag {
  /** Without the dashes. */
  readonly name: string;
  readonly takesValue: boolean;
  /** What may stand behind it, where that is known; else files are offered. */
  readonly choices: readonly string[];
}

/** A command as shells complete it. */
export interface CompletionCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletionFlag[];
  /** What its first word may be, where that is known. */
  readonly words: readonly string[];
}

/** What can be completed. */
export interface CompletionWords {
  readonly commands: readonly CompletionCommand[];
  readonly globals: readonly CompletionFlag[];
}

/** The names of the program. */
export const PROGRAMS = ["windlass", "win-automation"];

/** The words that may follow each beginning: the groups first, then their commands. */
export function nextWords({ commands }: CompletionWords): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, Set<string>>([["", new Set()]]);
  for (const { name } of commands) {
    const [first = "", second] = name.split(" ");
    next.get("")?.add(first);
    if (second !== undefined) next.set(first, (next.get(first) ?? new Set()).add(second));
  }
  return new Map([...next].map(([beginning, words]) => [beginning, [...words]]));
}

/** `--state`, `--limit`, … */
function written(flags: readonly CompletionFlag[]): string {
  return flags.map(({ name }) => `--${name}`).join(" ");
}

/** `case` branches: what stands behind each beginning, each command and each flag with known values. */
function branches(words: CompletionWords): string {
  const { commands, globals } = words;
  const starts = [
    ...nextWords(words),
    ...commands.flatMap(({ name, words: own }) => (own.length > 0 ? [[name, own] as const] : [])),
  ];
  const flagsOf = ({ flags }: Pick<CompletionCommand, "flags">): string => {
    const all = [...flags, ...globals];
    return `flags="${written(all)}" taking="${written(all.filter(({ takesValue }) => takesValue))}"`;
  };
  const valued = commands.flatMap(({ name, flags }) =>
    flags.filter(({ choices }) => choices.length > 0).map((flag) => ({ command: name, ...flag })),
  );
  return [
    '  case "$command" in',
    ...starts.map(([beginning, next]) => `    "${beginning}") next="${next.join(" ")}" ;;`),
    "  esac",
    '  case "$command" in',
    ...commands.map((command) => `    "${command.name}") ${flagsOf(command)} ;;`),
    `    *) ${flagsOf({ flags: [] })} ;;`,
    "  esac",
    '  case "$command $previous" in',
    ...valued.map(({ command, name, choices }) => `    "${command} --${name}") values="${choices.join(" ")}" ;;`),
    "  esac",
  ].join("\n");
}

/** Groups and commands as one word each. */
function names({ commands }: CompletionWords): string {
  const groups = commands.map(({ name }) => name.split(" ")[0] ?? "");
  return [...new Set([...groups, ...commands.map(({ name }) => name.replace(" ", "_"))])].join(" ");
}

/** Global flags whose value may not be taken for a command, as a pattern. */
function valuePattern({ globals }: CompletionWords): string {
  return globals
    .filter(({ takesValue }) => takesValue)
    .map(({ name }) => `--${name}`)
    .join("|");
}

/** The script of bash. */
export function bashScript(words: CompletionWords): string {
  return `# bash completion of windlass
_windlass() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local command="" next="" flags="" taking="" values="" word
  local -i index more=0
  # --flag=value comes as three words.
  if [[ "$current" == "=" ]]; then current=""
  elif [[ "$previous" == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD - 2]}"; fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in
      --) COMPREPLY=($(compgen -f -- "$current")); return ;;
      ${valuePattern(words)}) index+=1; continue ;;
      -* | =) continue ;;
    esac
    case " ${names(words)} " in
      *" \${command:+\${command}_}$word "*) command="\${command:+$command }$word" ;;
      *) more+=1 ;;
    esac
  done
${branches(words)}
  if [[ -n "$values" ]]; then COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ " $taking " == *" $previous "* ]]; then COMPREPLY=($(compgen -f -- "$current"))
  elif [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ -n "$next" && $more -eq 0 ]]; then COMPREPLY=($(compgen -W "$next" -- "$current"))
  else COMPREPLY=($(compgen -f -- "$current")); fi
}
${PROGRAMS.map((program) => `complete -o filenames -F _windlass ${program}`).join("\n")}
`;
}

/** The script of zsh. */
export function zshScript(words: CompletionWords): string {
  return `#compdef ${PROGRAMS.join(" ")}
# zsh completion of windlass
_windlass() {
  local command="" next="" flags="" taking="" values="" previous="\${words[CURRENT-1]}" word
  local -i index more=0
  if [[ "\${words[CURRENT]}" == --*=* ]]; then previous="\${words[CURRENT]%%=*}"; compset -P '*='; fi
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    case "$word" in
      --) _files; return ;;
      ${valuePattern(words)}) index+=1; continue ;;
      -*) continue ;;
    esac
    case " ${names(words)} " in
      *" \${command:+\${command// /_}_}$word "*) command="\${command:+$command }$word" ;;
      *) more+=1 ;;
    esac
  done
${branches(words)}
  if [[ -n "$values" ]]; then compadd -- \${(z)values}
  elif [[ " $taking " == *" $previous "* ]]; then _files
  elif [[ "\${words[CURRENT]}" == -* ]]; then compadd -- \${(z)flags}
  elif [[ -n "$next" && $more -eq 0 ]]; then compadd -- \${(z)next}
  else _files; fi
}
# Found by the name of this file it is called; sourced it is registered.
if [ "$funcstack[1]" = "_windlass" ]; then _windlass "$@"; else compdef _windlass ${PROGRAMS.join(" ")}; fi
`;
}
