import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The version of the Playwright that this program speaks; read from its package, because loading it takes 0.4 s. */
export function clientVersion(): string {
  const path = createRequire(import.meta.url).resolve("playwright-core/package.json");
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version: string };
  return version;
}

/** True for versions that understand each other: Playwright compares major and minor. */
export function isSameRelease(one: string, other: string): boolean {
  return release(one) === release(other);
}

/** `1.65` of `1.65.1`. */
export function release(version: string): string {
  return version.split(".", 2).join(".");
}
