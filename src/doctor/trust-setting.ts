import { readFileSync, statSync } from "node:fs";
import type { Connection } from "../database/connection.ts";
import { knownWorkers } from "./known-workers.ts";

/**
 * How far a party is held here, from the laxest on: by its own good behaviour (`advisory`), by a policy that it cannot
 * change (`root-policy`), or by that and by the account of the worker, which is another (`accounts`).
 *
 * @see docs/threat-model.md
 */
export type TrustSetting = "advisory" | "root-policy" | "accounts";

/** Finds out which setting this is for the account of this process. */
export function trustSetting(
  level: "enforced" | "advisory",
  { db, boot }: { readonly db: Connection | undefined; readonly boot: string },
): TrustSetting {
  if (level === "advisory") return "advisory";
  const own = process.geteuid?.();
  const uids = db === undefined ? [] : workerUids(db, boot);
  return own !== undefined && uids.length > 0 && uids.every((uid) => uid !== undefined && uid !== own)
    ? "accounts"
    : "root-policy";
}

/** The accounts of the workers that run on this machine; `undefined` for one that cannot be seen. */
function workerUids(db: Connection, boot: string): readonly (number | undefined)[] {
  return knownWorkers(db)
    .filter(({ types }) => types.length > 0)
    .flatMap((worker) => {
      const uid = worker.boot === boot ? workerUid(worker.pid) : undefined;
      // The lock of another account's worker cannot be asked about; its process can be seen.
      return worker.alive || uid !== undefined ? [uid] : [];
    });
}

function workerUid(pid: number): number | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.includes("worker") ? statSync(`/proc/${pid}`).uid : undefined;
  } catch {
    return undefined;
  }
}

const ACCOUNT = "let agents and their callers run under an account that is not root's";
const PAGE = "docs/threat-model.md has the steps";

/**
 * What to do for the next stricter setting; `undefined` where there is none.
 *
 * @param file the policy that holds.
 * @param systemPolicy where root's stands.
 */
export function toStricter(setting: TrustSetting, file: string, systemPolicy: string): string | undefined {
  switch (setting) {
    case "advisory":
      return file === systemPolicy
        ? ACCOUNT
        : `to enforce it, put it at ${systemPolicy} as root, in folders that only root can write, and ${ACCOUNT}; ${PAGE}`;
    case "root-policy":
      return `stricter: run the worker, and keep the keys of approvers, under other accounts than that of agents; ${PAGE}`;
    case "accounts":
      return undefined;
  }
}
