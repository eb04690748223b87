import type { Handlers } from "../attempt/handlers.ts";
import type { Config } from "../config/config.ts";
import type { JobType } from "../job/definition.ts";
import { alohaRun } from "./aloha-run/aloha-run.ts";
import type { BindParts } from "./bind-parts.ts";
import { exec } from "./exec/exec.ts";
import { httpRequest } from "./http-request/http-request.ts";
import { playwrightRun } from "./playwright-run/playwright-run.ts";
import { windowsExec } from "./windows-exec/windows-exec.ts";

/** A built-in job type: its rules at once, its code only in a process that runs jobs. */
interface BuiltInType {
  readonly type: JobType;
  /** Names of the secrets that configuration lets it resolve. */
  readonly secrets: (config: Config) => readonly string[];
  readonly bind: (parts: BindParts) => Promise<Handlers>;
}

/** The built-in job types; one line each. */
const BUILT_IN: readonly BuiltInType[] = [
  {
    type: exec,
    secrets: ({ exec: { secrets } }) => secrets,
    bind: async (parts) => (await import("./exec/bind.ts")).bindExec(parts),
  },
  {
    type: httpRequest,
    secrets: ({ httpRequest: { secrets } }) => secrets,
    bind: async (parts) => (await import("./http-request/bind.ts")).bindHttpRequest(parts),
  },
  {
    type: windowsExec,
    secrets: () => [],
    bind: async (parts) => (await import("./windows-exec/bind.ts")).bindWindowsExec(parts),
  },
  {
    type: alohaRun,
    secrets: () => [],
    bind: async (parts) => (await import("./aloha-run/bind.ts")).bindAlohaRun(parts),
  },
  {
    type: playwrightRun,
    secrets: () => [],
    bind: async (parts) => (await import("./playwright-run/bind.ts")).bindPlaywrightRun(parts),
  },
];

/** The built-in job types with the secrets that configuration lets them resolve. */
export function builtInTypes(config: Config): readonly JobType[] {
  return BUILT_IN.map(({ type, secrets }) => ({ ...type, rules: { ...type.rules, secrets: secrets(config) } }));
}

/**
 * The code of a job type: a built-in one's is bound to its hosts, a user's own brings it along.
 *
 * @returns `undefined` for a type that this process knows only by its rules.
 */
export async function handlersOf(type: JobType, parts: BindParts): Promise<Handlers | undefined> {
  const builtIn = BUILT_IN.find((known) => known.type.name === type.name);
  if (builtIn !== undefined) return builtIn.bind(parts);
  const { check } = type;
  // A durable type's code is only ever given a durable context, because its attempts are run as durable ones.
  const run = type.run as Handlers["run"] | undefined;
  return run === undefined ? undefined : { run, ...(check === undefined ? {} : { check }) };
}
