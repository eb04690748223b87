import type { Logger } from "../logfmt.ts";
import type { Flag } from "./flag.ts";
import type { GlobalValues } from "./global-flags.ts";
import type { Session } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** A word that a command takes beside its flags. */
export interface WordSpec {
  /** As the help shows it. */
  readonly name: string;
  /** The flag that says the same. */
  readonly flag: string;
  readonly isRequired: boolean;
  /** Takes all words that follow. */
  readonly isList?: boolean;
}

/** What a command is called with. */
export interface Call {
  /** The command's words, such as `jobs list`. */
  readonly command: string;
  readonly globals: GlobalValues;
  /** All commands, for those that speak of the others. */
  readonly commands: readonly CommandEntry[];
  readonly session: Session;
  readonly terminal: Terminal;
  readonly log: Logger;
  /** Every flag that this call could have. */
  readonly flags: readonly Flag[];
  /** The values of the flags that were given, and of the words under their flags' names. */
  readonly values: ReadonlyMap<string, unknown>;
  /** What follows `--`. */
  readonly rest: readonly string[] | undefined;
}

/** What is known before the flags of a command can all be known. */
export interface EarlyCall {
  readonly session: Session;
  readonly argv: readonly string[];
}

/** A command as it is called and as the help shows it. */
export interface Command {
  /** Its words, such as `jobs list`. */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly flags: readonly Flag[];
  readonly words: readonly WordSpec[];
  /** What may follow `--`, for the help. */
  readonly rest?: string;
  /** Settings that flags of this command set, by flag. */
  readonly settings?: readonly string[];
  /** Flags that depend on what was typed, such as those of the job type. */
  moreFlags?(early: EarlyCall): Promise<readonly Flag[]>;
  /** @returns the exit status. */
  run(call: Call): Promise<number>;
}

/** A command of the menu; its code is loaded when it is called or shown. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}
