import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A PowerShell text of this program, by the name of its file. */
export interface OwnScript {
  readonly name: string;
  readonly text: string;
  /** SHA-256 in hexadecimal digits. */
  readonly digest: string;
}

const READ = new Map<string, OwnScript>();

/** Reads `scripts/NAME.ps1`: it gets one flat object and returns one value, and must run under PowerShell 5.1. */
export function ownScript(name: string): OwnScript {
  const known = READ.get(name);
  if (known !== undefined) return known;
  const text = readText(`scripts/${name}.ps1`);
  const script = { name, text, digest: createHash("sha256").update(text).digest("hex") };
  READ.set(name, script);
  return script;
}

/** Reads a file that stands beside this one, in the source or in the build. */
export function readText(path: string): string {
  return readFileSync(new URL(`./${path}`, import.meta.url), "utf8");
}
