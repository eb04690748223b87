import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./installed-package.ts";

/** A whole file that a document shows. */
export interface CodeBlock {
  /** As its first line says (`// jobs.ts`), else by its place (`block-1.ts`). */
  readonly name: string;
  readonly text: string;
}

/** The TypeScript files that a document shows, in their order. */
export function codeBlocks(document: string): readonly CodeBlock[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  return [...text.matchAll(/^( *)```ts\n([\s\S]*?)^\1```$/gm)].map(([, indent = "", code = ""], index) => {
    const plain = code.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const name = /^\/\/ (\S+\.ts)$/m.exec(plain.split("\n")[0] ?? "")?.[1];
    return { name: name ?? `block-${index}.ts`, text: plain };
  });
}
