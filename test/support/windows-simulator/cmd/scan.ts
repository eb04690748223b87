import { type Redirection, SyntaxFault } from "./syntax.ts";

/** Between words of a command; `=` too, so that `if a==b` and `prog /x=1` split. */
const DELIMITER = /[ \t,;=\v\f\u00a0]/;

/** Reads the characters of one line, or of several inside brackets. */
export class Scanner {
  readonly #line: string;
  at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#line.length;
  }

  peek(ahead = 0): string {
    return this.#line.charAt(this.at + ahead);
  }

  between(start: number): string {
    return this.#line.slice(start, this.at);
  }

  take(text: string): boolean {
    // `&` is no half of `&&`.
    if (!this.#line.startsWith(text, this.at)) return false;
    if (text === "&" && this.peek(1) === "&") return false;
    this.at += text.length;
    return true;
  }

  /** `==`, which are delimiters otherwise. */
  takeEquals(): boolean {
    const match = /^[ \t]*==/.exec(this.#line.slice(this.at));
    if (match === null) return false;
    this.at += match[0].length;
    return true;
  }

  skipBlanks(withLines = false): void {
    while (this.peek() !== "" && (withLines ? /\s/ : /[ \t\r]/).test(this.peek())) this.at++;
  }

  skipDelimiters(): void {
    while (this.peek() !== "" && DELIMITER.test(this.peek())) this.at++;
  }

  skipLine(): void {
    while (!this.isAtEnd && this.peek() !== "\n") this.at++;
  }

  /** The next word, without moving on. */
  nextWord(): string {
    const start = this.at;
    const word = this.readWord();
    this.at = start;
    return word;
  }

  /** One word: up to a delimiter, an operator or a bracket that is neither quoted nor escaped. Carets are gone. */
  readWord(): string {
    this.skipDelimiters();
    return this.#read((char) => DELIMITER.test(char) || /[&|<>()\n]/.test(char));
  }

  /** The whole of a simple command, its redirections taken out of it. */
  readCommand(isInBrackets: boolean): { readonly text: string; readonly redirections: readonly Redirection[] } {
    const redirections: Redirection[] = [];
    let text = "";
    for (;;) {
      text += this.#read((char) => /[&|<>\n]/.test(char) || (isInBrackets && char === ")"));
      if (this.peek() !== "<" && this.peek() !== ">") return { text, redirections };
      // A digit is a handle only when it stands alone: `echo 2>x` but not `echo a2>x`.
      const digit = /(?:^|[ \t,;=])(\d)$/.exec(text)?.[1];
      if (digit !== undefined) text = text.slice(0, -1);
      redirections.push(this.#readTarget(digit === undefined ? undefined : Number(digit)));
    }
  }

  /** A redirection that stands here, as behind a bracket. */
  readRedirection(): Redirection | undefined {
    const match = /^[ \t]*(\d)?(?=[<>])/.exec(this.#line.slice(this.at));
    if (match === null) return undefined;
    this.at += match[0].length;
    return this.#readTarget(match[1] === undefined ? undefined : Number(match[1]));
  }

  /** The text in which cmd names what it did not expect. */
  unexpected(): string {
    const two = this.#line.slice(this.at, this.at + 2);
    return two === "&&" || two === "||" || two === ">>" ? two : this.peek();
  }

  #readTarget(named: number | undefined): Redirection {
    const mode = this.take(">>") ? ">>" : this.take(">") ? ">" : "<";
    if (mode === "<") this.take("<");
    const handle = named ?? (mode === "<" ? 0 : 1);
    if (this.peek() === "&") {
      this.at++;
      this.skipBlanks();
      const source = /^\d/.exec(this.#line.slice(this.at))?.[0];
      if (source === undefined) throw new SyntaxFault(this.unexpected());
      this.at++;
      return { kind: "copy", handle, source: Number(source) };
    }
    const target = this.readWord().replaceAll('"', "");
    if (target === "") throw new SyntaxFault(this.isAtEnd ? undefined : this.unexpected());
    return { kind: "file", handle, mode, target };
  }

  #read(ends: (char: string) => boolean): string {
    let text = "";
    let quoted = false;
    for (; !this.isAtEnd; this.at++) {
      const char = this.peek();
      if (char === "\n" && quoted) quoted = false;
      if (char === "^" && !quoted) {
        this.at++;
        if (this.peek() === "\r") this.at++;
        // A caret at the end of a line joins it with the next.
        if (this.peek() === "\n") this.at++;
        text += this.peek();
        continue;
      }
      if (!quoted && ends(char)) break;
      if (char === '"') quoted = !quoted;
      if (char !== "\r") text += char;
    }
    return text;
  }
}
