import { readBase64, SshBlob } from "./ssh-blob.ts";

/** An SSH signature of a file, as far as it says something about itself. None of it is verified here. */
export interface SshSignature {
  /** The public key that it names. */
  readonly keyBlob: Uint8Array;
  /** Such as `ssh-ed25519`. */
  readonly keyType: string;
  readonly namespace: string;
  readonly hash: "sha256" | "sha512";
  /** Of a security key: whether it was touched. `undefined` for any other key. */
  readonly present: boolean | undefined;
}

const ARMOR = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END SSH SIGNATURE-----\s*$/;
/** The longest of an RSA key of 16,384 bits is below it. */
const TEXT_MAX = 16 * 1024;
const MAGIC = "SSHSIG";
/** Bit of the flags of an authenticator: a person was there. */
const USER_PRESENT = 0x01;

/**
 * Reads an armored signature as `ssh-keygen -Y sign` writes it; `undefined` for anything else. Never throws.
 *
 * @see https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.sshsig
 * @see https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.u2f
 */
export function parseSshSignature(text: string): SshSignature | undefined {
  if (text.length > TEXT_MAX) return undefined;
  const [, body] = ARMOR.exec(text) ?? [];
  const bytes = body === undefined ? undefined : readBase64(body);
  return bytes === undefined ? undefined : readSignature(new SshBlob(bytes));
}

function readSignature(blob: SshBlob): SshSignature | undefined {
  const magic = blob.bytes(MAGIC.length);
  const version = blob.uint32();
  const keyBlob = blob.string();
  const namespace = blob.name();
  blob.string();
  const hash = blob.name();
  const signature = blob.string();
  if (magic === undefined || String.fromCharCode(...magic) !== MAGIC || version !== 1) return undefined;
  if (keyBlob === undefined || namespace === undefined || signature === undefined || !blob.isAtEnd) return undefined;
  if (hash !== "sha256" && hash !== "sha512") return undefined;
  const keyType = new SshBlob(keyBlob).name();
  if (keyType === undefined) return undefined;
  return { keyBlob, keyType, namespace, hash, present: keyType.startsWith("sk-") ? isPresent(signature) : undefined };
}

/** After the signature itself an authenticator's flags follow. */
function isPresent(signature: Uint8Array): boolean {
  const blob = new SshBlob(signature);
  blob.name();
  blob.string();
  const [flags = 0] = blob.bytes(1) ?? [];
  return (flags & USER_PRESENT) !== 0;
}
