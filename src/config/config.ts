import type { Camel, Group, GroupName, Loose } from "./schema/fields.ts";
import type { Host } from "./schema/hosts.ts";
import type { Origin } from "./schema/setting.ts";

type Grouped = { readonly [Name in Exclude<GroupName, "database"> as Camel<Name>]: Group<Name> };

/**
 * The configuration: the keys of the files in camelCase, durations in milliseconds (names end in `Ms`), paths absolute.
 * What each one does stands in `docs/configuration.md`.
 */
export interface Config extends Loose, Grouped {
  readonly database: {
    /** The SQLite file, absolute, found where nothing says it. */
    readonly path: string;
  };
  /** The Windows machines by name; `default` is made of the blocks `windows`, `aloha` and `playwright`. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** Who chose the policy file: a party that it holds back must not. */
  readonly policyOrigin: Origin;
}

/** A configuration with the origin of each of its values. */
export interface LoadedConfig {
  readonly config: Config;
  /** The config file that was read, absolute; also one that sets nothing. */
  readonly file?: string | undefined;
  /** By key as files write it; the settings of a named host as `hosts.lab1.ssh_port`. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** One sentence each, to be logged. */
  readonly warnings: readonly string[];
}
