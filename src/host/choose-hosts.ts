import type { LoadedConfig } from "../config/config.ts";
import { DEFAULT_HOST } from "../config/schema/hosts.ts";
import { AppError } from "../error.ts";
import { findHost, type NamedHost, selectHosts } from "./inventory.ts";

/** A machine, and which of its parts somebody configured. */
export interface ChosenHost {
  readonly host: NamedHost;
  readonly hasAloha: boolean;
  readonly hasPlaywright: boolean;
}

/** The machines that somebody configured: all named ones, and the default one where a setting is about it. */
export function configuredHosts(loaded: LoadedConfig): readonly ChosenHost[] {
  const { config } = loaded;
  const isOnlyOne = config.hosts.size === 1;
  const names = [...config.hosts.keys()].filter((name) => name !== DEFAULT_HOST || isDescribed(loaded, isOnlyOne));
  return names.map((name) => partsOf(loaded, findHost(config, name)));
}

/**
 * The hosts that words choose. Without words those that are configured; a failpoint may be rehearsed without any, on the
 * default one.
 *
 * @throws AppError `UNKNOWN_HOST`; `CONFIG` where nothing is configured and nothing named.
 */
export function chooseHosts(loaded: LoadedConfig, words: readonly string[] | undefined): readonly ChosenHost[] {
  const { config } = loaded;
  if (words !== undefined && words.length > 0) return selectHosts(config, words).map((host) => partsOf(loaded, host));
  const configured = configuredHosts(loaded);
  if (configured.length > 0) return configured;
  const host = findHost(config);
  if (config.supervisor.failpoint !== undefined) return [partsOf(loaded, host)];
  throw new AppError(
    "CONFIG",
    `no Windows machine is configured; set windows.ssh_host, or hosts for several; \`--host ${host.name}\` takes the one at ${host.sshHost}:${host.sshPort} as it is`,
  );
}

function partsOf(loaded: LoadedConfig, host: NamedHost): ChosenHost {
  const isDefault = host.name === DEFAULT_HOST;
  return {
    host,
    hasAloha: isDefault ? isSet(loaded, "aloha.") : host.aloha !== undefined,
    hasPlaywright: isDefault ? isSet(loaded, "playwright.") : host.playwright !== undefined,
  };
}

/** Settings of the machine `default`. The secret path is one for all machines and says nothing about this one of several. */
function isDescribed(loaded: LoadedConfig, isOnlyOne: boolean): boolean {
  const except = isOnlyOne ? undefined : "playwright.ws_path";
  return ["windows.", "aloha.", "playwright."].some((group) => isSet(loaded, group, except));
}

/** Something else than the defaults says one of these settings. */
function isSet({ origins }: LoadedConfig, group: string, except?: string): boolean {
  return [...origins].some(([key, { kind }]) => kind !== "default" && key.startsWith(group) && key !== except);
}
