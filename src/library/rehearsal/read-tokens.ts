/** A token of a source; texts and regular expressions are one each. */
export interface Token {
  readonly text: string;
  readonly at: number;
}

const BLANK = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const TEXT = /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/y;
const WORD = /[\p{L}\p{N}_$#]+/uy;
const REGULAR = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;
const TEMPLATE = /(?:\\[\s\S]|[^`\\$]|\$(?!\{))*/y;
/** After these a slash begins a regular expression; after any other word or a closing bracket it divides. */
const BEFORE_REGULAR = new Set(["return", "typeof", "case", "in", "of", "delete", "void", "await", "yield", "new"]);

/** Splits JavaScript or TypeScript: enough to find blocks, without its grammar. */
export function readTokens(source: string): readonly Token[] {
  const tokens: Token[] = [];
  /** For each open brace: true where it stands in a template. */
  const braces: boolean[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const put = (text: string | undefined): boolean => {
    if (text === undefined) return false;
    tokens.push({ text, at: at - text.length });
    return true;
  };
  /** The rest of a template up to its end or to a `${`. */
  const template = (): void => {
    take(TEMPLATE);
    const isEnd = source[at] !== "$";
    at += isEnd ? 1 : 2;
    if (isEnd) tokens.push({ text: '""', at: at - 1 });
    else braces.push(true);
  };
  while (at < source.length) {
    if (take(BLANK) !== undefined) continue;
    if (put(take(TEXT)) || put(take(WORD)) || (mayBeRegular(tokens.at(-1)) && put(take(REGULAR)))) continue;
    const sign = source.startsWith("=>", at) ? "=>" : (source[at] ?? "");
    at += sign.length;
    if (sign === "`") template();
    else if (sign === "}" && braces.pop() === true) template();
    else {
      if (sign === "{") braces.push(false);
      put(sign);
    }
  }
  return tokens;
}

function mayBeRegular(before: Token | undefined): boolean {
  if (before === undefined || BEFORE_REGULAR.has(before.text)) return true;
  return !/[\p{L}\p{N}_$"'/)\]}]$/u.test(before.text);
}
