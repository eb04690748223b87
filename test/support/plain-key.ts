import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A key pair in two files, as people have it. */
export interface PlainKey {
  /** Of the private one; the other has `.pub` behind it. */
  readonly path: string;
  readonly publicKey: string;
}

/** Makes an Ed25519 key, without a passphrase where none is given. */
export function makePlainKey(
  folder: string,
  name = "id_ed25519",
  comment = "anna@example.com",
  passphrase = "",
): PlainKey {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", comment, "-f", path], { stdio: "ignore" });
  return { path, publicKey: readFileSync(`${path}.pub`, "utf8").trim() };
}

/** Signs as on another machine: by ssh-keygen itself, with nothing of this program. */
export function signPlainly(path: string, text: string, namespace = "windlass-approval"): string {
  return execFileSync("ssh-keygen", ["-Y", "sign", "-f", path, "-n", namespace], {
    input: text,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
}
