import type { Actor } from "./actor.ts";
import type { PolicyRequest } from "./request.ts";

/**
 * The line of a policy file that would allow a request: as narrow as the request shows, and one line, so that it can be
 * copied out of an error. Of an argv only the program is named: arguments may hold what should not stand in a log.
 *
 * @returns `undefined` where a name that the asking party chose holds a star: as a pattern it would allow more than was asked.
 */
export function allowingLine(actor: Actor, request: PolicyRequest): string | undefined {
  const patterns = [actor.name, request.operation, request.jobType ?? "", request.host ?? ""];
  if (patterns.some((pattern) => pattern.includes("*"))) return undefined;
  const program = request.argv?.[0];
  const parts = [
    `name: ${quote(["allow", actor.name, request.jobType ?? request.operation].join("-"))}`,
    `actors: [${quote(`${actor.kind}:${actor.name}`)}]`,
    `operations: [${quote(request.operation)}]`,
    ...(request.jobType === undefined ? [] : [`types: [${quote(request.jobType)}]`]),
    ...(request.host === undefined ? [] : [`hosts: [${quote(request.host)}]`]),
    ...(program === undefined ? [] : [`argv: [${quote(program)}]`]),
    "allow: true",
  ];
  return `- { ${parts.join(", ")} }`;
}

/** A JSON text is a YAML text, whatever the name holds. */
const quote = (text: string): string => JSON.stringify(text);
