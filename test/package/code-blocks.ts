import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./installed-package.ts";

/** A whole file that a document shows. */
export interface CodeBlock {
  /** As its first line says: `// jobs.ts`. */
  readonly name: string;
  readonly text: string;
}

/** The TypeScript files that a document shows, in their order; one without a name is an error. */
export function codeBlocks(document: string): readonly CodeBlock[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  return [...text.matchAll(/^( *)```ts\n([\s\S]*?)^\1```$/gm)].map(([, indent = "", code = ""]) => {
    const plain = code.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const name = /^\/\/ (\S+\.ts)$/m.exec(plain.split("\n")[0] ?? "")?.[1];
    if (name === undefined) throw new Error(`${document}: a block begins with ${JSON.stringify(plain.slice(0, 60))}`);
    return { name, text: plain };
  });
}
