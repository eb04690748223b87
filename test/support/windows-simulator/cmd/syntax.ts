/** One redirection, in the order in which they stand. */
export type Redirection =
  | { readonly kind: "file"; readonly handle: number; readonly mode: "<" | ">" | ">>"; readonly target: string }
  | { readonly kind: "copy"; readonly handle: number; readonly source: number };

/** What a line says. */
export type Command =
  | SimpleCommand
  | { readonly kind: "group"; readonly body: Command; readonly redirections: readonly Redirection[] }
  | { readonly kind: "chain"; readonly operator: "&" | "&&" | "||"; readonly left: Command; readonly right: Command }
  /** Both sides run in shells of their own, which read their text anew. */
  | { readonly kind: "pipe"; readonly sides: readonly string[] }
  | IfCommand
  | { readonly kind: "nothing" };

export interface SimpleCommand {
  readonly kind: "simple";
  /** Without carets and redirections; quotes are still there. */
  readonly text: string;
  readonly redirections: readonly Redirection[];
  /** An `@` stands before it. */
  readonly isQuiet: boolean;
}

export interface IfCommand {
  readonly kind: "if";
  readonly isNegated: boolean;
  readonly ignoresCase: boolean;
  readonly condition: Condition;
  readonly then: Command;
  readonly otherwise: Command | undefined;
}

export type Condition =
  | { readonly kind: "errorlevel"; readonly atLeast: string }
  | { readonly kind: "exist"; readonly path: string }
  | { readonly kind: "defined"; readonly name: string }
  | { readonly kind: "compare"; readonly operator: string; readonly left: string; readonly right: string };

/** A line that cmd does not understand, in its words: `& was unexpected at this time.` */
export class SyntaxFault extends Error {
  constructor(unexpected?: string) {
    super(
      unexpected === undefined
        ? "The syntax of the command is incorrect."
        : `${unexpected} was unexpected at this time.`,
    );
  }
}
