import { type Document, isMap, isScalar, isSeq, type Node, parseDocument, type YAMLSeq } from "yaml";
import type { Approver } from "../../policy/policy.ts";

/** What of an approver is written into a file. */
export type ApproverEntry = Pick<Approver, "principal" | "key">;

/**
 * Puts an approver into the text of a sound policy file. Only lines are added: written out anew, the file would lose its
 * spacing. But for one that is JSON, or is written as on one line.
 */
export function addApprover(text: string, entry: ApproverEntry): string {
  const document = parseDocument(text);
  const list = document.get("approvers");
  const edited = isSeq(list) ? behindLast(text, list, entry) : behindVersion(text, document, entry);
  return edited ?? writtenAnew(document, entry);
}

/** The lines to add by hand where there are no approvers yet. */
export function approverLines(entry: ApproverEntry): readonly string[] {
  return ["approvers:", `  - ${flowEntry(entry)}`];
}

function flowEntry({ principal, key }: ApproverEntry): string {
  return `{ principal: ${JSON.stringify(principal)}, key: ${JSON.stringify(key)} }`;
}

function behindLast(text: string, list: YAMLSeq, entry: ApproverEntry): string | undefined {
  const [first, last] = [list.items.at(0) as Node | undefined, list.items.at(-1) as Node | undefined];
  if (list.flow === true || !first?.range || !last?.range) return undefined;
  const dash = text.lastIndexOf("-", first.range[0]);
  const indent = text.slice(text.lastIndexOf("\n", dash) + 1, dash);
  return indent.trim() === "" ? insertLines(text, last.range[1], [`${indent}- ${flowEntry(entry)}`]) : undefined;
}

function behindVersion(text: string, { contents }: Document.Parsed, entry: ApproverEntry): string | undefined {
  if (!isMap(contents) || contents.flow === true || contents.has("approvers")) return undefined;
  const { value } = contents.items.find(({ key }) => isScalar(key) && key.value === "version") ?? {};
  const range = (value as Node | undefined)?.range;
  return range ? insertLines(text, range[1], approverLines(entry)) : undefined;
}

/** Inserts whole lines below the line of an offset. */
function insertLines(text: string, offset: number, lines: readonly string[]): string {
  const lineEnd = text.indexOf("\n", Math.max(0, offset - 1));
  const [before, after] = lineEnd === -1 ? [`${text}\n`, ""] : [text.slice(0, lineEnd + 1), text.slice(lineEnd + 1)];
  return `${before}${lines.join("\n")}\n${after}`;
}

function writtenAnew(document: Document.Parsed, entry: ApproverEntry): string {
  const node = document.createNode({ ...entry }, { flow: true });
  const list = document.get("approvers");
  if (isSeq(list)) list.add(node);
  else document.set("approvers", [node]);
  return document.toString({ lineWidth: 0 });
}
