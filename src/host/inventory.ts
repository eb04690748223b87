import type { Config } from "../config/config.ts";
import { DEFAULT_HOST, type Host } from "../config/schema/hosts.ts";
import { AppError } from "../error.ts";
import { nearest } from "../job/nearest.ts";

/** A machine of the configuration with its name. */
export type NamedHost = Host & { readonly name: string };

type Hosts = Pick<Config, "hosts">;

/**
 * The machine of that name; without a name the one that the top-level blocks describe.
 *
 * @throws AppError `UNKNOWN_HOST` with the names that are most like it.
 */
export function findHost({ hosts }: Hosts, name: string = DEFAULT_HOST): NamedHost {
  const host = hosts.get(name);
  if (host === undefined) throw unknownHost(name, [...hosts.keys()]);
  return { ...host, name };
}

/**
 * The machines that a list of words chooses, each once, in the order of the words: a name, or `label=value` for all that
 * have the label.
 *
 * @throws AppError `UNKNOWN_HOST` for a word that chooses none.
 */
export function selectHosts(config: Hosts, words: readonly string[]): readonly NamedHost[] {
  const chosen = words.flatMap((word) => (word.includes("=") ? hostsWith(config, word) : [findHost(config, word)]));
  return chosen.filter((host, index) => chosen.findIndex(({ name }) => name === host.name) === index);
}

function hostsWith(config: Hosts, word: string): readonly NamedHost[] {
  const at = word.indexOf("=");
  const [label, value] = [word.slice(0, at), word.slice(at + 1)];
  const found = [...config.hosts].filter(
    ([, host]) => Object.hasOwn(host.labels, label) && host.labels[label] === value,
  );
  if (found.length > 0) return found.map(([name, host]) => ({ ...host, name }));
  const known = [...config.hosts.values()].flatMap(({ labels }) =>
    Object.entries(labels).map((pair) => pair.join("=")),
  );
  throw new AppError("UNKNOWN_HOST", `no host has the label ${word}; ${suggestion(word, known)}`, {
    details: { label: word },
  });
}

function unknownHost(name: string, known: readonly string[]): AppError {
  const message = `there is no host ${JSON.stringify(name)} in the configuration; ${suggestion(name, known)}`;
  return new AppError("UNKNOWN_HOST", message, { details: { host: name } });
}

function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known, 3);
  if (near.length > 0) return `did you mean ${near.join(", ")}?`;
  const names = [...new Set(known)].slice(0, 10);
  return names.length > 0 ? `known: ${names.join(", ")}` : "none has labels";
}
