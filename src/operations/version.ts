import { readFile } from "node:fs/promises";
import { z } from "zod";
import { defineOperation } from "./operation.ts";

/** Where the package begins, seen from `src/operations` and from `dist/operations`. */
const PACKAGE = new URL("../../", import.meta.url);

/** Says which version this is. */
export const showVersion = defineOperation({
  name: "version",
  summary: "Print the version and the commit.",
  access: "read",
  input: z.strictObject({}),
  output: z.strictObject({ version: z.string(), commit: z.string().describe("`unknown` outside a checkout.") }),
  errors: [],
  database: "none",
  // It says nothing of anybody, and must be said whatever the configuration is like.
  asksItself: true,
  async run() {
    const { version } = JSON.parse(await readFile(new URL("package.json", PACKAGE), "utf8")) as { version: string };
    return { version, commit: (await readCommit(new URL(".git/", PACKAGE))) ?? "unknown" };
  },
});

/** Read from the files: a version must not depend on a git that is installed. */
async function readCommit(git: URL): Promise<string | undefined> {
  const head = await readText(new URL("HEAD", git));
  if (head === undefined) return undefined;
  const reference = /^ref: (\S+)/.exec(head)?.[1];
  if (reference === undefined) return commitIn(head);
  const loose = await readText(new URL(reference, git));
  if (loose !== undefined) return commitIn(loose);
  const packed = await readText(new URL("packed-refs", git));
  return commitIn(packed?.split("\n").find((line) => line.endsWith(` ${reference}`)) ?? "");
}

function commitIn(text: string): string | undefined {
  return /^[0-9a-f]{40,64}/.exec(text)?.[0];
}

async function readText(url: URL): Promise<string | undefined> {
  return readFile(url, "utf8").catch(() => undefined);
}
