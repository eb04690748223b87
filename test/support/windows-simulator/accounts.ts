import { createHash } from "node:crypto";

/** Well-known ones; their names are English here and differ on a Windows of another language. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  system: "S-1-5-18",
  localservice: "S-1-5-19",
  networkservice: "S-1-5-20",
  administrators: "S-1-5-32-544",
};

/** An account that no machine has; every other name is one of an account. */
const NOBODY = "nobody";

/** The SID of an account, with or without a domain in front; `undefined` for one that the machine does not know. */
export function sidOf(account: string): string | undefined {
  const name = account.replace(/^.*\\/, "").toLowerCase();
  if (name === NOBODY) return undefined;
  const number = createHash("sha256").update(name).digest().readUInt16BE();
  return WELL_KNOWN[name.replaceAll(" ", "")] ?? `S-1-5-21-1000-2000-3000-${1_000 + number}`;
}
