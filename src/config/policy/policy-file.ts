import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { AppError } from "../../error.ts";
import { canonicalJson } from "../../job/canonical-json.ts";
import { type FilePath, formatPath, type ReadPolicy, readPolicy } from "../../policy/file/read-policy.ts";
import { configError } from "../schema/setting.ts";

/** A policy as a file has it. */
export interface PolicyFileContent extends Omit<Extract<ReadPolicy, { kind: "policy" }>, "kind" | "content"> {
  /** SHA-256 of what it says, in hexadecimal; comments and spelling do not change it. */
  readonly digest: string;
  /** The line of a place in the file, from 1. */
  lineOf(path: FilePath): number | undefined;
}

const BYTES_MAX = 1024 * 1024;
/** Further ones are counted. */
const PROBLEMS_SHOWN = 5;

/**
 * Reads a policy file.
 *
 * @param path absolute.
 * @throws AppError `CONFIG` naming the mistakes with their places and lines.
 */
export function readPolicyFile(path: string): PolicyFileContent {
  const lines = new LineCounter();
  const document = parse(path, readText(path), lines);
  const lineOf = (place: FilePath): number | undefined => findLine(document, lines, place);
  const read = readPolicy(contentOf(path, document), { path, lineOf });
  if (read.kind === "wrong") {
    const said = read.problems.slice(0, PROBLEMS_SHOWN).map(({ path: place, message }) => {
      const line = lineOf(place);
      return `${line === undefined ? "" : `line ${line}: `}${formatPath(place) || "the file"} ${message}`;
    });
    const more = read.problems.length - said.length;
    throw configError(path, `${said.join("; ")}${more > 0 ? `; and ${more} more` : ""}`);
  }
  const { policy, examples, content } = read;
  return { policy, examples, lineOf, digest: createHash("sha256").update(canonicalJson(content)).digest("hex") };
}

function readText(path: string): string {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw configError(path, "is not a file");
    if (stats.size > BYTES_MAX) throw configError(path, `has ${stats.size} bytes; a policy has at most ${BYTES_MAX}`);
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException | AppError;
    if (code === "CONFIG") throw error;
    const reason = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
    throw configError(path, `${reason}; nothing is done without the policy`, error);
  }
}

function parse(path: string, text: string, lineCounter: LineCounter): Document.Parsed {
  const document = parseDocument(text, { lineCounter, logLevel: "error" });
  const [problem] = document.errors;
  if (problem === undefined) return document;
  // The first line has reason and position; those after it quote the file.
  const [reason = ""] = problem.message.split("\n");
  throw configError(path, `is not valid YAML: ${reason.replace(/:$/, "")}`);
}

function contentOf(path: string, document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw configError(path, "is not valid YAML: it repeats itself too often", error);
  }
}

/** Goes as far as the file does: a key that is missing has the line of what it is missing in. */
function findLine(document: Document.Parsed, lines: LineCounter, path: FilePath): number | undefined {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const part of path) {
    const block = isAlias(node) ? node.resolve(document) : node;
    if (isMap(block)) {
      const pair = block.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(block) && typeof part === "number" && part < block.items.length) {
      node = block.items[part];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
