import { NotModelled } from "../not-modelled.ts";
import { Scanner } from "./scan.ts";
import { type Command, type Condition, type IfCommand, type Redirection, SyntaxFault } from "./syntax.ts";

/**
 * The second phase of reading a line, after `%…%`: carets, quotes, operators, brackets, redirections. From loosest to
 * tightest: `&`, `||`, `&&`, `|` (https://stackoverflow.com/a/4095133 phase 2; `cmd /?`).
 *
 * @throws SyntaxFault
 */
export function parseLine(line: string): Command {
  const scanner = new Scanner(line);
  const command = parseChain(scanner, 0);
  scanner.skipBlanks();
  if (!scanner.isAtEnd) throw new SyntaxFault(scanner.unexpected());
  return command;
}

function parseChain(scanner: Scanner, depth: number): Command {
  let left = parseTighter(scanner, depth, "||");
  for (;;) {
    scanner.skipBlanks(depth > 0);
    const isSeparated = scanner.take("&") || (depth > 0 && scanner.take("\n"));
    if (!isSeparated) return left;
    scanner.skipBlanks(depth > 0);
    // `a &` and `( a & )` end there.
    if (scanner.isAtEnd || (depth > 0 && scanner.peek() === ")")) return left;
    left = { kind: "chain", operator: "&", left, right: parseTighter(scanner, depth, "||") };
  }
}

function parseTighter(scanner: Scanner, depth: number, operator: "||" | "&&"): Command {
  const inner = (): Command => (operator === "||" ? parseTighter(scanner, depth, "&&") : parsePipe(scanner, depth));
  let left = inner();
  for (;;) {
    scanner.skipBlanks();
    if (!scanner.take(operator)) return left;
    scanner.skipBlanks();
    if (scanner.isAtEnd) throw new SyntaxFault();
    left = { kind: "chain", operator, left, right: inner() };
  }
}

function parsePipe(scanner: Scanner, depth: number): Command {
  const sides: string[] = [];
  for (;;) {
    const start = scanner.at;
    const command = parseOne(scanner, depth);
    const text = scanner.between(start).trim();
    scanner.skipBlanks();
    const goesOn = scanner.peek() === "|" && scanner.peek(1) !== "|" && scanner.take("|");
    if (!goesOn && sides.length === 0) return command;
    if (command.kind === "nothing") throw new SyntaxFault("|");
    sides.push(text);
    if (!goesOn) return { kind: "pipe", sides };
  }
}

function parseOne(scanner: Scanner, depth: number): Command {
  scanner.skipDelimiters();
  let isQuiet = false;
  while (scanner.take("@")) {
    isQuiet = true;
    scanner.skipDelimiters();
  }
  if (scanner.isAtEnd) return { kind: "nothing" };
  if (scanner.take("(")) return parseGroup(scanner, depth);
  const word = scanner.nextWord().toLowerCase();
  if (word === "rem" || word.startsWith(":")) {
    scanner.skipLine();
    return { kind: "nothing" };
  }
  if (word === "if") return parseIf(scanner, depth);
  if (word === "for") throw new NotModelled("FOR of cmd");
  const { text, redirections } = scanner.readCommand(depth > 0);
  if (text === "" && redirections.length === 0) throw new SyntaxFault(scanner.unexpected());
  return { kind: "simple", text, redirections, isQuiet };
}

function parseGroup(scanner: Scanner, depth: number): Command {
  scanner.skipBlanks(true);
  const body = parseChain(scanner, depth + 1);
  scanner.skipBlanks(true);
  // A line that ends inside brackets: cmd would ask for more, here there is no more.
  if (!scanner.take(")")) throw new SyntaxFault(scanner.isAtEnd ? "(" : scanner.unexpected());
  const redirections: Redirection[] = [];
  for (let found = scanner.readRedirection(); found !== undefined; found = scanner.readRedirection()) {
    redirections.push(found);
  }
  return { kind: "group", body, redirections };
}

function parseIf(scanner: Scanner, depth: number): IfCommand {
  scanner.readWord();
  let ignoresCase = false;
  if (scanner.nextWord().toLowerCase() === "/i") {
    scanner.readWord();
    ignoresCase = true;
  }
  const isNegated = scanner.nextWord().toLowerCase() === "not";
  if (isNegated) scanner.readWord();
  const condition = readCondition(scanner);
  const then = parseBranch(scanner, depth);
  scanner.skipBlanks(depth > 0);
  if (scanner.nextWord().toLowerCase() !== "else") {
    return { kind: "if", isNegated, ignoresCase, condition, then, otherwise: undefined };
  }
  scanner.readWord();
  return { kind: "if", isNegated, ignoresCase, condition, then, otherwise: parseBranch(scanner, depth) };
}

/** A bracket, or everything up to the end of the line: `if … a & b` runs neither or both. */
function parseBranch(scanner: Scanner, depth: number): Command {
  scanner.skipDelimiters();
  if (scanner.isAtEnd) throw new SyntaxFault();
  return scanner.peek() === "(" ? parseOne(scanner, depth) : parseChain(scanner, depth);
}

function readCondition(scanner: Scanner): Condition {
  const first = scanner.readWord();
  switch (first.toLowerCase()) {
    case "errorlevel":
      return { kind: "errorlevel", atLeast: scanner.readWord() };
    case "exist":
      return { kind: "exist", path: scanner.readWord().replaceAll('"', "") };
    case "defined":
      return { kind: "defined", name: scanner.readWord() };
    case "cmdextversion":
      throw new NotModelled("IF CMDEXTVERSION of cmd");
  }
  if (scanner.takeEquals()) return { kind: "compare", operator: "==", left: first, right: scanner.readWord() };
  const operator = scanner.readWord().toLowerCase();
  if (!/^(equ|neq|lss|leq|gtr|geq)$/.test(operator)) throw new SyntaxFault(operator === "" ? first : operator);
  return { kind: "compare", operator, left: first, right: scanner.readWord() };
}
