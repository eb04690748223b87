import type { AlsoRuns, PolicyRequest } from "./request.ts";

/** What rules can look at in the input of a job. */
export type JobFacts = Pick<PolicyRequest, "host" | "argv" | "command" | "urlHost" | "env" | "alsoRuns">;

/** Fields of inputs that run something beside the program itself, as all job types name them. */
const FURTHER_CODE = ["check_argv", "idempotent_check", "verify"] as const;

/**
 * What a policy's rules look at in an input, by the names that all job types use for it: `host`, `argv`, `command` (a line,
 * or an argv), `url`, `env`, and what is run beside. A type of a user's own that names its fields otherwise can be allowed
 * as a whole, and no further.
 */
export function jobFacts(input: unknown): JobFacts {
  if (!isObject(input)) return {};
  const { host, command, url, env } = input;
  const argv = wordsOf(input["argv"]) ?? wordsOf(command);
  const urlHost = typeof url === "string" ? hostOf(url) : undefined;
  const variables = isObject(env) ? Object.keys(env) : [];
  const alsoRuns = FURTHER_CODE.flatMap((field): AlsoRuns[] => {
    const code = input[field];
    if (code === undefined) return [];
    const words = wordsOf(code);
    return [words === undefined ? { field } : { field, argv: words }];
  });
  return {
    ...(typeof host === "string" ? { host } : {}),
    ...(argv === undefined ? {} : { argv }),
    ...(typeof command === "string" ? { command } : {}),
    ...(urlHost === undefined ? {} : { urlHost }),
    ...(variables.length === 0 ? {} : { env: variables }),
    ...(alsoRuns.length === 0 ? {} : { alsoRuns }),
  };
}

function wordsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

/** As a request is sent: in small letters, encoded; and without the dot that a name may end in, which means the same host. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, "") : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
