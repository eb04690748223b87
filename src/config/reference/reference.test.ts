import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { describeConfig } from "../describe.ts";
import { loadConfig } from "../load.ts";
import { ROWS } from "../schema/schema.ts";
import { parseConfigText } from "../sources/parse-text.ts";
import { GENERATED_FILES } from "./generated.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const EXAMPLES = ["windlass.example.yaml", "windlass.example.json"] as const;
const IN_FILES = ROWS.filter(([, row]) => row.environmentOnly !== true).map(([key]) => key);

const cwd = mkdtempSync(join(tmpdir(), "windlass-reference-"));
afterAll(() => rmSync(cwd, { recursive: true }));

const request = { cwd, home: "/home/ann", env: {} };

test.each(GENERATED_FILES)("$file is what the schema says (npm run docs writes it)", ({ file, generate }) => {
  expect(readFileSync(join(ROOT, file), "utf8")).toBe(generate());
});

test.each(EXAMPLES)("%s loads and says the defaults", async (file) => {
  const { config, warnings } = await loadConfig({ ...request, configPath: join(ROOT, file) });
  const { config: none } = await loadConfig(request);
  expect(warnings).toEqual([]);
  expect(config).toEqual({ ...none, artifacts: { ...none.artifacts, outDir: join(ROOT, "artifacts") } });
});

test.each(EXAMPLES)("%s has every key of a file", async (file) => {
  const text = readFileSync(join(ROOT, file), "utf8");
  // In the YAML a key without a default stands behind a mark of comment.
  const complete = (await parseConfigText(file, text.replace(/^( *)# (\w+: \S+)$/gm, "$1$2"))) as Record<
    string,
    object
  >;
  const blockOf = (key: string) => (key.includes(".") ? complete[key.split(".")[0] ?? ""] : complete) ?? {};
  expect(IN_FILES.filter((key) => !Object.hasOwn(blockOf(key), key.split(".").at(-1) ?? ""))).toEqual([]);
  expect(complete).toHaveProperty("hosts");
});

test("the page names each setting once, with its variable", () => {
  const page = readFileSync(join(ROOT, "docs", "configuration.md"), "utf8");
  for (const { key, environment } of describeConfig()) {
    expect(page.split("\n").filter((line) => line.startsWith(`| \`${key}\` | \`${environment[0]}\``))).toHaveLength(1);
  }
});

test("no two settings share a key or a variable", () => {
  const all = describeConfig();
  const keys = all.flatMap(({ key, aliases }) => [key, ...aliases]);
  const variables = all.flatMap(({ environment }) => environment);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(variables).size).toBe(variables.length);
});

test("every description is one sentence", () => {
  for (const { description } of describeConfig()) expect(description).toMatch(/^[A-Z][^\n]*[^.]\.$/);
});
