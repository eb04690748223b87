import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../error.ts";
import { parseSshKey, publicPartOf, type SshKey } from "./model/ssh-key.ts";

/** A key that this account can sign with, as far as can be seen. */
export interface LocalKey {
  readonly key: SshKey;
  /** The file to sign with; `undefined` for a key that only the SSH agent has. */
  readonly path: string | undefined;
}

/** Keys, certificates and their comments are short. */
const BYTES_MAX = 64 * 1024;
const AGENT_MS = 5_000;

/** How people tell keys apart: `SHA256:…`, as `ssh-keygen -l` prints it. */
export function fingerprint({ blob }: Pick<SshKey, "blob">): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The keys of `~/.ssh` whose private part lies beside, then those of the SSH agent. Each once. */
export async function localKeys(home: string): Promise<readonly LocalKey[]> {
  const found = [...(await keysInFolder(join(home, ".ssh"))), ...(await agentKeys())];
  return found.filter(({ key }, index) => found.findIndex((one) => one.key.line === key.line) === index);
}

/**
 * The key that a file is about: a public one, or a private one whose public part lies beside it or stands in it.
 *
 * @throws AppError `USAGE` where it is neither.
 */
export async function readKeyFile(path: string): Promise<LocalKey> {
  const text = await readShort(path).catch((cause: NodeJS.ErrnoException) => {
    throw new AppError("USAGE", `--key ${path} cannot be read (${cause.code ?? cause.message})`, { cause });
  });
  const beside = await readShort(`${path}.pub`).catch(() => "");
  const key = parseSshKey(text) ?? parseSshKey(beside) ?? publicPartOf(text);
  if (key !== undefined) return { key, path };
  throw new AppError(
    "USAGE",
    `--key ${path} is no SSH key whose public part can be read; \`ssh-keygen -y -f ${path} > ${path}.pub\` writes it beside`,
  );
}

async function keysInFolder(folder: string): Promise<readonly LocalKey[]> {
  const names = await readdir(folder).catch(() => []);
  const keys: LocalKey[] = [];
  for (const name of names.filter((one) => one.endsWith(".pub")).sort()) {
    const path = join(folder, name.slice(0, -".pub".length));
    const isThere = await stat(path).then(
      (stats) => stats.isFile(),
      () => false,
    );
    const key = isThere ? parseSshKey(await readShort(join(folder, name)).catch(() => "")) : undefined;
    if (key !== undefined) keys.push({ key, path });
  }
  return keys;
}

/** Nothing where there is no agent, or none that answers. */
async function agentKeys(): Promise<readonly LocalKey[]> {
  if (!process.env["SSH_AUTH_SOCK"]) return [];
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile("ssh-add", ["-L"], { timeout: AGENT_MS, maxBuffer: 1024 * 1024 }, (error, stdout) =>
    resolve(error === null ? stdout : ""),
  );
  return (await promise).split("\n").flatMap((line): LocalKey[] => {
    const key = parseSshKey(line);
    return key === undefined ? [] : [{ key, path: undefined }];
  });
}

async function readShort(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > BYTES_MAX) throw new AppError("USAGE", `${path} has ${size} bytes; a key has at most ${BYTES_MAX}`);
  return readFile(path, "utf8");
}
