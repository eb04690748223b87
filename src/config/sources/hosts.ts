import { buildHost, HOST_ROWS, type Host, refuseHostName } from "../schema/hosts.ts";
import { isBlock } from "../schema/lists.ts";
import type { Origin } from "../schema/setting.ts";
import { type ConfigFile, giveFromFile, refusal } from "./file.ts";
import { flatten } from "./flatten.ts";
import { readGiven } from "./given.ts";
import type { Environment } from "./interpolate.ts";

/** The named hosts of a file, and the origin of each setting as `hosts.lab1.ssh_port`. */
export interface NamedHosts {
  readonly hosts: ReadonlyMap<string, Host>;
  readonly origins: ReadonlyMap<string, Origin>;
}

/** What the values of a file are read with. */
interface Surroundings {
  readonly env: Environment;
  readonly home: string;
}

/**
 * Reads the block `hosts`. A setting that a host does not say has the default of the schema, never the value of the
 * machine `default`: a forgotten line must not send a command to another machine's desktop.
 *
 * @throws AppError `CONFIG`
 */
export function readHosts(file: ConfigFile, surroundings: Surroundings): NamedHosts {
  const hosts = new Map<string, Host>();
  const origins = new Map<string, Origin>();
  const named = file.hosts ?? {};
  if (!isBlock(named)) throw refusal(file.path, "hosts", "must be a block of hosts by name");
  for (const [name, block] of Object.entries(named)) {
    const { host, given } = readHost(file, name, block ?? {}, surroundings);
    hosts.set(name, host);
    for (const key of given) origins.set(`hosts.${name}.${key}`, { kind: "file", path: file.path });
  }
  return { hosts, origins };
}

function readHost({ path, folder }: ConfigFile, name: string, block: unknown, { env, home }: Surroundings) {
  const reason = refuseHostName(name);
  if (reason !== undefined) throw refusal(path, `hosts.${name}`, reason);
  if (!isBlock(block)) throw refusal(path, `hosts.${name}`, "must be a block of keys");
  const given = flatten(block, [...HOST_ROWS.keys()], (key, why) => {
    throw refusal(path, `hosts.${name}.${key}`, why);
  });
  const values = new Map<string, unknown>();
  for (const [key, row] of HOST_ROWS) {
    if (!given.has(key)) continue;
    const fullKey = `hosts.${name}.${key}`;
    const value = giveFromFile(fullKey, row, { value: given.get(key), path, folder, env });
    values.set(key, readGiven(fullKey, row, value, home));
  }
  const blocks = new Set(["aloha", "playwright"].filter((one) => isBlock(block[one])));
  return { host: buildHost(blocks, values), given: values.keys() };
}
