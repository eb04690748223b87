import { lstatSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../error.ts";
import { MANIFEST_FILE } from "./manifest-file.ts";

/** Names that Windows keeps for devices, with or without an ending. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

/**
 * Checks a path that came from a job: relative, `/` between parts, nothing that another system would read differently.
 *
 * @throws AppError `INVALID_PATH` naming the path and the part.
 */
export function checkKeptPath(path: string): readonly string[] {
  const refuse = (reason: string): never => {
    throw new AppError("INVALID_PATH", `file ${JSON.stringify(path)} ${reason}`);
  };
  if (path.length === 0 || path.length > 512) refuse("must have 1 to 512 characters");
  const parts = path.split("/");
  for (const part of parts) {
    if (part === "" || part === "." || part === "..") refuse("must be relative, without empty parts, . or ..");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (/[\u0000-\u001f\\:*?"<>|]/.test(part))
      refuse(`has a character in ${JSON.stringify(part)} that not every system can store`);
    if (/[. ]$/.test(part)) refuse(`has a part that ends in a dot or a space: ${JSON.stringify(part)}`);
    if (DEVICE.test(part)) refuse(`has a part that is a device on Windows: ${JSON.stringify(part)}`);
    if (part === ".attempts" || part === "runs") refuse(`has a part that windlass keeps for itself: ${part}`);
  }
  if (path === MANIFEST_FILE) refuse("is where windlass lists the kept files");
  return parts;
}

/** True for a path of a row that leads out of where it is joined to: what was written by hand must not. */
export function leadsOut(path: string): boolean {
  return path.startsWith("/") || path.split(/[/\\]/).includes("..");
}

/**
 * Joins checked parts below a root and refuses to walk through a link on the way.
 *
 * @throws AppError `INVALID_PATH` when a part that exists is a symbolic link, or a folder on the way is none.
 */
export function resolveBelow(root: string, parts: readonly string[]): string {
  let path = root;
  for (const [index, part] of parts.entries()) {
    path = join(path, part);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return join(root, ...parts);
    const last = index === parts.length - 1;
    if (found.isSymbolicLink() || (!last && !found.isDirectory())) {
      throw new AppError(
        "INVALID_PATH",
        `file ${parts.join("/")}: ${path} is ${found.isSymbolicLink() ? "a link" : "no folder"}; nothing was written`,
      );
    }
  }
  return path;
}
