import type { Actor } from "./actor.ts";
import { isFixedProgram } from "./matching/programs.ts";
import type { PolicyRule } from "./policy.ts";
import type { PolicyRequest } from "./request.ts";

/** Programs that run whatever they are given: to allow one is to allow everything. */
const RUNS_ANYTHING =
  /^(ba|da|k|z|fi|c)?sh$|^(cmd|powershell|pwsh|python|node|perl|ruby|env|xargs|sudo|ssh)([\d.]*)(\.exe)?$/i;

/**
 * Says how a person would allow what was refused.
 *
 * @param file where the policy stands; `undefined` where there is none.
 * @param refusing the rule that denied it, which the new line must stand above.
 */
export function advise(actor: Actor, request: PolicyRequest, file?: string, refusing?: PolicyRule): string {
  const line = allowingLine(actor, request);
  if (typeof line !== "string") return line.problem;
  const place =
    file === undefined
      ? 'under "rules:" in windlass.policy.yaml beside the database (`windlass init` writes one)'
      : refusing === undefined
        ? `under "rules:" in ${file}`
        : `above the rule ${refusing.name}${refusing.line === undefined ? "" : ` (line ${refusing.line})`} in ${file}`;
  const program = request.argv?.[0] ?? request.command?.split(" ")[0] ?? "";
  const warning = RUNS_ANYTHING.test(program.replace(/^.*[/\\]/, ""))
    ? ` (${program} runs whatever it is given: this allows everything, so name its arguments too)`
    : "";
  return `to allow this, a person adds this line ${place}: ${line}${warning}`;
}

/**
 * The line of a policy file that would allow a request: as narrow as the request shows, and one line, so that it can be
 * copied out of an error. Of an argv or a command only the program is named: arguments may hold what should not stand in
 * a log.
 *
 * @returns a problem where a name that the asking party chose holds a star (as a pattern it would allow more than was
 * asked), and where the job runs more than a line can name.
 */
export function allowingLine(actor: Actor, request: PolicyRequest): string | { readonly problem: string } {
  const { operation, jobType, host, urlHost, argv, command } = request;
  if ([actor.name, operation, jobType ?? "", host ?? "", urlHost ?? ""].some((pattern) => pattern.includes("*")))
    return { problem: "no line of a policy can name this request exactly, because a name in it holds a *" };
  const [program] = argv ?? [];
  const word = command?.split(" ")[0];
  const also = request.alsoRuns?.[0];
  if ((program !== undefined || word !== undefined) && also !== undefined)
    return {
      problem: `a rule that names a program never covers a job that also runs its ${also.field}; leave that out, or let a person allow the type as a whole`,
    };
  if (program !== undefined && !isFixedProgram(program))
    return {
      problem: `${program} is another program in another folder, so no rule can name it: ask with its absolute path`,
    };
  const env = request.env ?? [];
  const lists = {
    actors: [`${actor.kind}:${actor.name}`],
    operations: [operation],
    types: jobType,
    hosts: host,
    url_hosts: urlHost,
    argv: program,
  };
  const parts = [
    `name: ${quote(ruleName(actor, jobType ?? operation))}`,
    ...Object.entries(lists).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}: [${[value].flat().map(quote).join(", ")}]`],
    ),
    ...(program === undefined && word !== undefined ? [`command: ${quote(word)}`] : []),
    ...(env.length > 0 && (program ?? word) !== undefined ? [`env: [${env.map(quote).join(", ")}]`] : []),
    "allow: true",
  ];
  return `- { ${parts.join(", ")} }`;
}

/** A name that a policy file takes, whatever the actor is called. */
function ruleName({ name }: Actor, what: string): string {
  return ["allow", name, what]
    .join("-")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .slice(0, 64);
}

/** A JSON text is a YAML text, whatever the name holds. */
const quote = (text: string): string => JSON.stringify(text);
