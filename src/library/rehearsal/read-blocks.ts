import { readTokens, type Token } from "./read-tokens.ts";

/** A pair of braces. */
export interface Block {
  readonly open: number;
  close: number;
  readonly parent: Block | undefined;
  /** The body of a function. */
  readonly isFunction: boolean;
  /** Resources that are declared in it, not in a block of it. */
  readonly usings: { readonly offset: number; readonly isAsync: boolean }[];
  /** Where the `finally` stands that follows it; of a `try` and of its `catch`. */
  finallyAt: number | undefined;
}

/** `if (…) {` and its like open no function. */
const CONTROLS = new Set(["if", "for", "while", "switch", "with", "catch"]);
/** Tokens that a return type may be made of, between `):` and `{`. */
const TYPE_PART = /^(?:[\w$.<>,|&?[\]]+|["'`].*)$/s;
/** More is no return type. */
const TYPE_TOKENS_MAX = 60;

/** The blocks of a source of JavaScript or TypeScript, in the order in which they open. It need not be complete. */
export function readBlocks(source: string): readonly Block[] {
  const tokens = readTokens(source);
  const matches = matchBrackets(tokens);
  const blocks: Block[] = [];
  const byToken = new Map<number, Block>();
  let current: Block | undefined;
  for (const [index, { text, at }] of tokens.entries()) {
    if (text === "{") {
      const close = tokens[matches.get(index) ?? -1]?.at ?? source.length;
      const isFunction = opensFunction(tokens, matches, index);
      const made: Block = { open: at, close, parent: current, isFunction, usings: [], finallyAt: undefined };
      blocks.push(made);
      byToken.set(index, made);
      current = made;
    } else if (text === "}") current = current?.parent;
    else if (text === "using" && isDeclaration(tokens, index))
      current?.usings.push({ offset: at, isAsync: tokens[index - 1]?.text === "await" });
    else if (text === "finally" && tokens[index + 1]?.text === "{") markProtected(tokens, matches, byToken, index);
  }
  return blocks;
}

/** `using x`, and no member or variable of that name. */
function isDeclaration(tokens: readonly Token[], index: number): boolean {
  const next = tokens[index + 1]?.text ?? "";
  return tokens[index - 1]?.text !== "." && /^[A-Za-z_$]/.test(next) && !["in", "of", "instanceof"].includes(next);
}

/** The blocks before a `finally`: its `catch`, where it has one, and its `try`. */
function markProtected(
  tokens: readonly Token[],
  matches: ReadonlyMap<number, number>,
  byToken: ReadonlyMap<number, Block>,
  index: number,
): void {
  const finallyAt = tokens[index]?.at;
  for (let close = index - 1; tokens[close]?.text === "}"; ) {
    const open = matches.get(close) ?? -1;
    const block = byToken.get(open);
    if (block !== undefined) block.finallyAt = finallyAt;
    const before = tokens[open - 1]?.text === ")" ? (matches.get(open - 1) ?? 0) - 1 : open - 1;
    if (tokens[before]?.text !== "catch") return;
    close = before - 1;
  }
}

function opensFunction(tokens: readonly Token[], matches: ReadonlyMap<number, number>, index: number): boolean {
  const before = tokens[index - 1]?.text;
  if (before === "=>") return true;
  if (before === ")") return !CONTROLS.has(tokens[(matches.get(index - 1) ?? 0) - 1]?.text ?? "");
  return followsReturnType(tokens, matches, index);
}

function followsReturnType(tokens: readonly Token[], matches: ReadonlyMap<number, number>, index: number): boolean {
  let at = index - 1;
  for (let seen = 0; seen < TYPE_TOKENS_MAX; seen++) {
    const text = tokens[at]?.text ?? "";
    if (text === ":") return tokens[at - 1]?.text === ")";
    if (text === "}" || text === ")") at = (matches.get(at) ?? 0) - 1;
    else if (text === "=>" || TYPE_PART.test(text)) at--;
    else return false;
  }
  return false;
}

/** The index of the other bracket of each. */
function matchBrackets(tokens: readonly Token[]): Map<number, number> {
  const matches = new Map<number, number>();
  const open: number[] = [];
  for (const [index, { text }] of tokens.entries()) {
    if (text === "{" || text === "(") open.push(index);
    if (text !== "}" && text !== ")") continue;
    const other = open.pop();
    if (other === undefined) continue;
    matches.set(index, other);
    matches.set(other, index);
  }
  return matches;
}
