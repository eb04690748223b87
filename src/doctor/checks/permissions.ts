import { statSync } from "node:fs";
import type { CheckContext } from "../check.ts";
import { isShared, looseModes } from "../loose-modes.ts";
import { type Finding, fail, notConfigured, ok, sayCount, warn } from "../model/finding.ts";

/** Inputs and results may hold what is nobody else's business. */
export function permissions({ config, path }: CheckContext): Finding {
  const owner = statSync(path, { throwIfNoEntry: false })?.uid;
  const own = process.geteuid?.();
  if (own === undefined) return notConfigured("this system has no rights of this kind");
  const found = looseModes(config);
  const facts = { loose: found.length, owner: owner ?? null };
  const [first] = found;
  if (first !== undefined)
    return fail(
      `other users can get at ${sayCount(found.length, "file or folder").replace("folders", "folder")}: ${first.path} is ${first.mode.toString(8)}`,
      "`windlass doctor --fix` takes their rights away",
      { ...facts, first: first.path },
    );
  if (isShared(path))
    return ok("the database is shared with the group of its folder; what stands beside it is nobody else's", facts);
  if (owner !== undefined && owner !== own && own !== 0)
    return warn(
      `the database belongs to user ${owner}, and this is user ${own}`,
      "run every command as one user; files of the others cannot be read by it",
      facts,
    );
  return ok("the database, what stands beside it, and the folders of jobs are their owner's alone", facts);
}
