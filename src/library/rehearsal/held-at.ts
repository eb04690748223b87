import { type Block, readBlocks } from "./read-blocks.ts";

/** What is open around a place of a source: it is given back only where the code goes on in the same memory. */
export interface Held {
  readonly what: "await using" | "using" | "finally";
  /** From 1. */
  readonly line: number;
}

/**
 * Finds what is held around a place, up to the function that it stands in: declarations with `using` before it in its blocks, and
 * the `finally` of a `try`.
 *
 * @param line from 1, as stacks have it.
 * @param column from 1.
 */
export function heldAt(source: string, line: number, column: number): readonly Held[] {
  const at = offsetOf(source, line, column);
  const held: Held[] = [];
  for (let block = innermost(readBlocks(source), at); block !== undefined; block = block.parent) {
    for (const { offset, isAsync } of block.usings)
      if (offset < at) held.push({ what: isAsync ? "await using" : "using", line: lineOf(source, offset) });
    if (block.finallyAt !== undefined) held.push({ what: "finally", line: lineOf(source, block.finallyAt) });
    if (block.isFunction) break;
  }
  return held;
}

function innermost(blocks: readonly Block[], at: number): Block | undefined {
  // In the order in which they open, so the last one that holds the place is the innermost.
  return blocks.findLast(({ open, close }) => open < at && at < close);
}

function offsetOf(source: string, line: number, column: number): number {
  let offset = 0;
  for (let n = 1; n < line; n++) {
    const next = source.indexOf("\n", offset);
    if (next === -1) return source.length;
    offset = next + 1;
  }
  return offset + column - 1;
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}
