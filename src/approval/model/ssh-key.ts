import { readBase64, SshBlob } from "./ssh-blob.ts";

/** An OpenSSH public key. */
export interface SshKey {
  /** Such as `ssh-ed25519` or `sk-ssh-ed25519@openssh.com`. */
  readonly type: string;
  /** The key itself, as a signature names it. */
  readonly blob: Uint8Array;
  /** Type and key as one line has them, without the comment. */
  readonly line: string;
  readonly comment: string;
}

/**
 * Reads a line of a `.pub` file; `undefined` for anything else: options in front, a key of another type than it says.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4253#section-6.6
 */
export function parseSshKey(text: string): SshKey | undefined {
  const [type = "", base64 = "", ...comment] = text.trim().split(/[ \t]+/);
  const blob = readBase64(base64);
  if (blob === undefined || /[\r\n]/.test(text.trim()) || new SshBlob(blob).name() !== type) return undefined;
  return { type, blob, line: `${type} ${base64}`, comment: comment.join(" ") };
}

/** True for a key that stays in a security key (FIDO): to sign it must be there, and be touched unless it was made otherwise. */
export function isHardwareKey({ type }: Pick<SshKey, "type">): boolean {
  return type.startsWith("sk-");
}

/** True for two texts of one key, whatever their comments. */
export function isSameKey(a: SshKey, b: SshKey): boolean {
  return a.line === b.line;
}

const PRIVATE = /-----BEGIN OPENSSH PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;
const PRIVATE_MAGIC = "openssh-key-v1\0";

/**
 * The public part of the text of a private key in OpenSSH's own format, where it stands unencrypted; `undefined` for any
 * other text.
 *
 * @see https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.key
 */
export function publicPartOf(privateKey: string): SshKey | undefined {
  const [, body = ""] = PRIVATE.exec(privateKey) ?? [];
  const bytes = readBase64(body.trim());
  if (bytes === undefined) return undefined;
  const blob = new SshBlob(bytes);
  const magic = blob.bytes(PRIVATE_MAGIC.length);
  if (magic === undefined || String.fromCharCode(...magic) !== PRIVATE_MAGIC) return undefined;
  for (const _ of ["cipher", "kdf", "kdf options"]) blob.string();
  const count = blob.uint32();
  const key = blob.string();
  const type = key === undefined ? undefined : new SshBlob(key).name();
  if (count !== 1 || key === undefined || type === undefined) return undefined;
  return { type, blob: key, line: `${type} ${btoa(String.fromCharCode(...key))}`, comment: "" };
}
