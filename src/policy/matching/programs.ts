import type { PolicyRule } from "../policy.ts";
import type { PolicyRequest } from "../request.ts";

/**
 * What may follow the words of a rule in a line for a remote shell. Shells give a meaning to nearly everything else, and
 * PowerShell takes some dashes and quotes of Unicode for its own, so what is harmless is listed and not what is dangerous.
 */
const HARMLESS = /^[\p{L}\p{N} ._:/\\=+,-]*$/u;

type Programs = Pick<PolicyRule, "argv" | "command" | "env" | "effect">;

/**
 * True when the programs that a job would run are those that a rule names. A rule that gives leave must know all that the
 * job runs: whatever else it brings (a check of its own, variables that change what a name means) it must name too, or it
 * does not match. A rule that denies needs to find only one of them.
 */
export function runsWhatIsNamed(rule: Programs, request: PolicyRequest): boolean {
  if (rule.argv === undefined && rule.command === undefined) return true;
  return rule.effect.kind === "deny" ? runsOneOf(rule, request) : runsNothingElse(rule, request);
}

function runsNothingElse({ argv, command, env = [] }: Programs, request: PolicyRequest): boolean {
  if ((request.alsoRuns ?? []).length > 0) return false;
  if (!(request.env ?? []).every((name) => env.includes(name))) return false;
  if (argv !== undefined) return request.command === undefined && beginsWith(request.argv, argv);
  return request.argv === undefined && isLine(request.command, command ?? "");
}

function runsOneOf({ argv, command }: Programs, request: PolicyRequest): boolean {
  const further = (request.alsoRuns ?? []).map((one) => one.argv);
  if (argv !== undefined) return [request.argv, ...further].some((given) => beginsWith(given, argv));
  return beginsLike(request.command, command ?? "");
}

/** Word by word: `["echo", "a"]` is no beginning of `["echo a"]`. */
function beginsWith(given: readonly string[] | undefined, words: readonly string[]): boolean {
  return given !== undefined && given.length >= words.length && words.every((word, index) => given[index] === word);
}

/** The line itself, or the line, a space and more words that no shell reads anything into. */
function isLine(given: string | undefined, line: string): boolean {
  if (given === undefined || !given.startsWith(line)) return false;
  const rest = given.slice(line.length);
  return rest === "" || (rest.startsWith(" ") && HARMLESS.test(rest));
}

/** For a rule that denies: however it is written in capitals, and whatever follows. */
function beginsLike(given: string | undefined, line: string): boolean {
  const text = given?.trimStart().toLowerCase();
  const start = line.toLowerCase();
  return text?.startsWith(start) === true && !/^[\p{L}\p{N}_]/u.test(text.slice(start.length));
}

/** A program by a relative path is another one in another folder, and the job names the folder. */
export function isFixedProgram(program: string): boolean {
  return !program.includes("/") || /^(\/|[A-Za-z]:\/)/.test(program);
}
