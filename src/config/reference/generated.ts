import { exampleJson, exampleYaml } from "./examples.ts";
import { configurationPage } from "./page.ts";

/** The files of the repository that are written from the schema: `npm run docs`. */
export const GENERATED_FILES = [
  { file: "docs/configuration.md", generate: configurationPage },
  { file: "windlass.example.yaml", generate: exampleYaml },
  { file: "windlass.example.json", generate: exampleJson },
] as const;
