/** How the text behind a flag is read. */
export type FlagKind =
  /** A text as it is. */
  | "text"
  | "number"
  /** No text; `--no-NAME` says the opposite. */
  | "boolean"
  /** JSON: the text itself, `-` for standard input, `@FILE`. */
  | "json"
  /** May be repeated; a list. */
  | "texts"
  /** May be repeated; `key=value` each. */
  | "pairs"
  /** JSON where it is JSON, else a text. */
  | "value";

/** One flag of a command. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly kind: FlagKind;
  readonly description: string;
  /** Other names, not shown. */
  readonly aliases?: readonly string[];
  /** What stands for its value in the help; default by its kind. */
  readonly placeholder?: string;
  /** A single letter. */
  readonly short?: string;
  /** As the help shows it. */
  readonly default?: string;
  readonly environment?: readonly string[];
  readonly choices?: readonly string[];
  readonly required?: boolean;
  /** True where a value may be a reference such as `{"$secret":"NAME"}` in the place of a text. */
  readonly takesReference?: boolean;
  /** The field of the input that it fills. */
  readonly field?: string;
  /** Which part of that field, where two flags make one command line: its first word, or those after it. */
  readonly part?: "first" | "further";
  /** True where that is the input of a job, not of the command. */
  readonly ofType?: boolean;
}

/** True for a flag that may be given several times. */
export function isRepeatable({ kind }: Pick<Flag, "kind">): boolean {
  return kind === "texts" || kind === "pairs";
}

/** `idempotency_key` as a flag writes it. */
export function flagNameOf(field: string): string {
  return field.replaceAll("_", "-");
}

const PLACEHOLDERS: Readonly<Record<FlagKind, string>> = {
  text: "TEXT",
  texts: "TEXT",
  number: "N",
  pairs: "KEY=VALUE",
  json: "JSON",
  value: "JSON",
  boolean: "",
};

/** A flag as it is written: `--limit N`. */
export function flagText(flag: Flag): string {
  const { name, kind, short, placeholder, choices } = flag;
  const value = placeholder ?? choices?.join("|") ?? PLACEHOLDERS[kind];
  return `${short === undefined ? "" : `-${short}, `}--${name}${kind === "boolean" ? "" : ` ${value}`}`;
}

/** What a flag does, with its default and its variables. */
export function flagDescription(flag: Flag): string {
  const { description, default: value, environment = [], required } = flag;
  const facts = [
    ...(required ? ["required"] : []),
    ...(isRepeatable(flag) ? ["may be repeated"] : []),
    ...(value === undefined ? [] : [`default: ${value}`]),
    ...(environment.length === 0 ? [] : [`environment: ${environment.join(", ")}`]),
  ];
  return `${description}${facts.length === 0 ? "" : ` (${facts.join("; ")})`}`.trim();
}
