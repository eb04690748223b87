import type { Config } from "../config/config.ts";
import type { JobType } from "../job/definition.ts";
import { exec } from "./exec/exec.ts";
import { httpRequest } from "./http-request/http-request.ts";

/** The built-in job types; one line each. Their handlers are bound in `windlass.ts`. */
const BUILT_IN = [
  { type: exec, secrets: (config: Config) => config.exec.secrets },
  { type: httpRequest, secrets: (config: Config) => config.httpRequest.secrets },
] as const;

/** The built-in job types with the secrets that configuration lets them resolve. */
export function builtInTypes(config: Config): readonly JobType[] {
  return BUILT_IN.map(({ type, secrets }) => ({ ...type, rules: { ...type.rules, secrets: secrets(config) } }));
}
