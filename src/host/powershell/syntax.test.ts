import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { Language, type Node, Parser } from "web-tree-sitter";

const WASM = createRequire(import.meta.url).resolve("tree-sitter-powershell/tree-sitter-powershell.wasm");
const TEXTS = globSync("src/**/*.ps1").toSorted();

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(WASM));

/** What PowerShell 5.1 would not read: this grammar is its grammar, but for `&&` and `||`. */
function problems(text: string): readonly string[] {
  const found: string[] = [];
  const look = (node: Node | null): void => {
    if (node === null) return;
    const { row, column } = node.startPosition;
    if (node.isError || node.isMissing || node.type === "pipeline_chain_tail") {
      found.push(`${row + 1}:${column + 1} ${node.text.slice(0, 40)}`);
    }
    for (const child of node.children) look(child);
  };
  look(parser.parse(text)?.rootNode ?? null);
  return found;
}

test("there are texts to look at", () => {
  expect(TEXTS.length).toBeGreaterThan(10);
});

test.each(TEXTS)("%s is PowerShell 5.1", (path) => {
  const text = readFileSync(path, "utf8");
  expect(problems(text)).toEqual([]);
  // Without a mark at its beginning 5.1 would read other characters from a file by the machine's code page.
  expect(text).toMatch(/^[\n\x20-\x7e]*$/);
});

test.each(["$a ? 1 : 2", "$a ?? 1", "$a ??= 1", "a && b", "a || b", "if (", "'abc", "foreach ($x in 1..3) {", "@{a=1"])(
  "%s is refused: broken, or of version 7",
  (text) => {
    expect(problems(text)).not.toEqual([]);
  },
);
