import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { InstalledPackage } from "./installed-package.ts";
import { runProgram } from "./started-program.ts";

/** A Node of this machine that is too old for Windlass, outside `node_modules`; `undefined` where there is none. */
export async function olderNode(user: InstalledPackage): Promise<string | undefined> {
  const folders = ["/usr/bin", ...(process.env["PATH"] ?? "").split(delimiter)];
  for (const folder of folders.filter((path) => !path.includes("node_modules"))) {
    const node = join(folder, "node");
    if (!existsSync(node)) continue;
    const { stdout } = await runProgram(node, ["--version"], { cwd: user.folder, env: user.env });
    const [major = 0, minor = 0] = stdout.replace("v", "").split(".").map(Number);
    if (major < 24 || (major === 24 && minor < 15)) return node;
  }
  return undefined;
}
