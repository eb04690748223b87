import type { PolicyInForce } from "../../policy/in-force.ts";
import type { Config } from "../config.ts";
import type { Origin } from "../schema/setting.ts";
import { partOfWriters } from "./database-writers.ts";
import { type PolicyFileContent, readPolicyFile } from "./policy-file.ts";
import { type Account, ownAccount, writablePart } from "./trust.ts";

/** A policy file, and how far it can be trusted. */
export interface LoadedPolicy extends PolicyInForce, Pick<PolicyFileContent, "examples" | "lineOf"> {
  readonly policy: PolicyFileContent["policy"];
  readonly digest: string;
}

/** Where a policy stands, and for which database it holds. */
export interface PolicyPlace extends Pick<Config, "policyOrigin"> {
  readonly policy: string;
  readonly database: Pick<Config["database"], "path">;
}

/**
 * Loads the policy that the configuration names or found.
 *
 * @param account who asks; default: the account of this process.
 * @throws AppError `CONFIG` when it cannot be read or is wrong.
 */
export function loadPolicy(
  { policy: path, policyOrigin, database }: PolicyPlace,
  account: Account | undefined = ownAccount(),
): LoadedPolicy {
  const file = readPolicyFile(path);
  const reason = whyAdvisory({ path, origin: policyOrigin, database: database.path }, account);
  return { ...file, ...(reason === undefined ? { level: "enforced" } : { level: "advisory", reason }) };
}

interface Place {
  readonly path: string;
  readonly origin: Origin;
  readonly database: string;
}

/** Why the parties that ask are not held by this policy; `undefined` when they are. */
function whyAdvisory({ path, origin, database }: Place, account: Account | undefined): string | undefined {
  if (account === undefined) return "this system does not say who could change it";
  if (account.uid === 0) return "root, who asks, can change every file";
  if (origin.kind === "flag" || origin.kind === "environment") return "the call itself chose it";
  const [part, config] = [path, ...(origin.kind === "file" ? [origin.path] : [])].map((place) =>
    changeable(place, { account, database }),
  );
  return part ?? (config === undefined ? undefined : `${config}, which names it`);
}

/** The caller is one of those that ask; whoever may write the database asks too, as anybody. */
function changeable(
  place: string,
  { account, database }: { readonly account: Account; readonly database: string },
): string | undefined {
  const own = writablePart(place, account);
  if (own !== undefined) return `the account that asks can change ${own}`;
  const writers = partOfWriters(place, database);
  return writers === undefined ? undefined : `an account that may write the database can change ${writers}`;
}
