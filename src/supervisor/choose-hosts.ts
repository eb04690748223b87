import type { LoadedConfig } from "../config/config.ts";
import { DEFAULT_HOST } from "../config/schema/hosts.ts";
import { findHost, selectHosts } from "../host/inventory.ts";
import type { HostToWatch } from "./watch-host.ts";

/**
 * The hosts that words choose. Without words all named ones, and the default one where a setting is about it; where there
 * is neither, the default one, because whoever starts a supervisor wants a machine to be watched.
 *
 * @throws AppError `UNKNOWN_HOST`
 */
export function chooseHosts(loaded: LoadedConfig, words: readonly string[] | undefined): readonly HostToWatch[] {
  const { config } = loaded;
  const named = [...config.hosts.keys()].filter((name) => name !== DEFAULT_HOST);
  const isDefaultMeant = named.length === 0 || isDescribed(loaded);
  const all = [...(isDefaultMeant ? [DEFAULT_HOST] : []), ...named].map((name) => findHost(config, name));
  const chosen = words === undefined || words.length === 0 ? all : selectHosts(config, words);
  return chosen.map((host) => {
    const isDefault = host.name === DEFAULT_HOST;
    return {
      host,
      hasAloha: isDefault ? isSet(loaded, "aloha.") : host.aloha !== undefined,
      hasPlaywright: isDefault ? isSet(loaded, "playwright.") : host.playwright !== undefined,
    };
  });
}

/** Settings of the machine `default`; the secret path is one for all machines and says nothing about this one. */
function isDescribed(loaded: LoadedConfig): boolean {
  return ["windows.", "aloha.", "playwright."].some((group) => isSet(loaded, group, "playwright.ws_path"));
}

/** Something else than the defaults says one of these settings. */
function isSet({ origins }: LoadedConfig, group: string, except?: string): boolean {
  return [...origins].some(([key, { kind }]) => kind !== "default" && key.startsWith(group) && key !== except);
}
