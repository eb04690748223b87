import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Held, heldAt } from "./held-at.ts";

/** A place in a user's source. */
export interface CallSite {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Deeper stacks are cut: a job's helpers are not. */
const FRAMES_MAX = 100;
const FRAME = /^\s+at (?:.*? \()?(?:async )?((?:file:\/\/)?\/[^()]*?|[A-Za-z]:[\\/][^()]*?):(\d+):(\d+)\)?$/;
/** No frame of the library is the user's. */
const OWN = fileURLToPath(new URL("../../", import.meta.url));

/** Where the running code stands: this call and those that await it, as far as they are in files that can be named. */
export function callSites(): readonly CallSite[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_MAX;
  const { stack = "" } = new Error("where");
  Error.stackTraceLimit = limit;
  return stack.split("\n").flatMap((text) => {
    const [, path = "", line, column] = FRAME.exec(text) ?? [];
    const file = path.startsWith("file:") ? fileURLToPath(path) : path;
    const isOwn = file.startsWith(OWN) && !file.endsWith(".test.ts");
    return file === "" || isOwn || file.includes("/node_modules/")
      ? []
      : [{ file, line: Number(line), column: Number(column) }];
  });
}

/**
 * What is held around any of the places, the innermost first.
 *
 * @returns `undefined` where no source can be read, so nobody knows.
 */
export function heldAround(sites: readonly CallSite[]): readonly (Held & { readonly file: string })[] | undefined {
  const read = sites.flatMap((site) => {
    const source = readSource(site.file);
    return source === undefined ? [] : [{ ...site, source }];
  });
  if (read.length === 0) return undefined;
  return read.flatMap(({ source, line, column, file }) =>
    heldAt(source, line, column).map((held) => ({ ...held, file })),
  );
}

function readSource(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
