// The build's second half: the modules of src/ and of the libraries become a few files, because to find, read and link
// hundreds of small ones took longer than all that a command does. tsc wrote the declarations before.
import { cpSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { rolldown } from "rolldown";

const SOURCE = resolve("src");
const CHUNK_FOLDER = "chunks";

/** What is started or imported by its path, and so keeps it. */
const ENTRIES = ["bin", "index", "backend/embedded/worker/heartbeat-thread", "cli/demo/demo-jobs"];

/**
 * What most commands load, in the order in which they do: each chunk holds these modules and all that they import, but what
 * stands in a chunk above. The bundler splits the rest by itself, where it is imported late.
 */
const CHUNKS = {
  menu: ["src/cli/main.ts"],
  help: ["src/cli/help.ts"],
  command: ["node_modules/zod/", "src/cli/run-command.ts", "src/cli/operation-command.ts"],
  yaml: ["node_modules/yaml/"],
  config: ["src/config/load.ts", "src/config/sources/file.ts", "src/config/sources/hosts.ts"],
  gate: ["src/operations/open-gate.ts"],
  policy: ["src/config/policy/load-policy.ts"],
  engine: ["src/windlass.ts"],
  rehearsal: ["src/library/rehearsal/"],
};

const bundle = await rolldown({
  input: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`])),
  platform: "node",
  // Loaded only where a page is opened, and finds files beside itself.
  external: "playwright-core",
  // Imported late for those who need neither of the two; who needs one needs both.
  checks: { ineffectiveDynamicImport: false },
  plugins: [{ name: "keep-place", transform: keepPlace }],
});
const { output } = await bundle.write({
  dir: "dist",
  sourcemap: true,
  comments: false,
  // Without a hash: the compile cache knows files by their names, and would keep those of every version.
  chunkFileNames: `${CHUNK_FOLDER}/[name].js`,
  codeSplitting: {
    groups: Object.entries(CHUNKS).map(([name, roots]) => ({
      name,
      test: (id) => roots.some((root) => id.includes(root)),
    })),
  },
});
const astray = output.find(
  ({ fileName, code }) => code?.includes("import.meta.url") && dirname(fileName) !== CHUNK_FOLDER,
);
if (astray !== undefined)
  throw new Error(`${astray.fileName} looks for files beside itself, but is no chunk; see keepPlace`);
for (const file of globSync("src/**/*.{sql,ps1,js}")) cpSync(file, file.replace(/^src/, "dist"));
writeLicenses(output.flatMap(({ moduleIds = [] }) => moduleIds));

/** A module that looks for files beside it finds them where it would stand alone, whatever chunk it has come into. */
function keepPlace(code, id) {
  if (!id.startsWith(SOURCE) || !code.includes("import.meta.url")) return undefined;
  const place = JSON.stringify(`../${relative(SOURCE, id).replace(/\.ts$/, ".js")}`);
  // No map of its own: lines stay, and few columns matter.
  return { code: code.replaceAll("import.meta.url", `new URL(${place}, import.meta.url).href`), map: null };
}

/** The notices that the licences of the libraries want wherever their code goes. */
function writeLicenses(modules) {
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
  const notices = [...folders].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${name} ${version}\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n`;
  });
  writeFileSync("dist/LICENSES", notices.join("\n---\n\n"));
}
