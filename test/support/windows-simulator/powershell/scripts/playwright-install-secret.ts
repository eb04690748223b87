import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { realPath } from "../../windows-path.ts";
import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ context, cwd }, { folder, ws_path: wsPath }) => {
  const real = realPath(context.folder, `${String(folder)}/ws_path.txt`, cwd);
  if (real === undefined) throw new Error(`${String(folder)} does not lie on C:`);
  const before = existsSync(real) ? readFileSync(real, "utf8") : "";
  writeFileSync(real, String(wsPath));
  return { changed: before !== wsPath };
};
