import { type CodeBlock, codeBlocks } from "./code-blocks.ts";

/** How to add a job type. */
export const RECIPE = "docs/recipes/add-a-job-type.md";

/** What the recipe shows for a user's own project; the rest of it is about this repository. */
export function recipeForUsers(): readonly CodeBlock[] {
  return codeBlocks(RECIPE).filter(({ name }) => !name.startsWith("src/"));
}

/** Puts an import and an entry of a list where somebody who follows the recipe puts them. */
export function addEntry(file: string, block: string): string {
  const lines = block.split("\n").slice(1);
  const imports = lines.filter((line) => line.startsWith("import "));
  const entry = lines.filter((line) => !line.startsWith("import "));
  return [...imports, file.replace(/(BUILT_IN[^=]*= \[)/, `$1${entry.join("\n")}`)].join("\n");
}
