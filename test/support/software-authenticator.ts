import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

const TYPE = "sk-ssh-ed25519@openssh.com";
const APPLICATION = "ssh:";
const NAMESPACE = "windlass-approval";

/** How an authenticator signs. */
export interface SoftwareSignOptions {
  /** Whether somebody touched it. Default: true. */
  readonly touched?: boolean;
  readonly namespace?: string;
}

/**
 * A security key (FIDO) of software: it makes `sk-ssh-ed25519` keys and signatures that OpenSSH takes for those of a real
 * one, touched or not. What a real one protects (that the key cannot be copied, that a person was there) it does not have.
 *
 * https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.u2f, https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.sshsig
 */
export class SoftwareAuthenticator {
  readonly #privateKey: KeyObject;
  readonly #blob: Buffer;
  #counter = 0;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#privateKey = privateKey;
    const raw = Buffer.from(publicKey.export({ format: "jwk" })["x"] ?? "", "base64url");
    this.#blob = Buffer.concat([string(TYPE), string(raw), string(APPLICATION)]);
  }

  /** A line as `ssh-keygen -t ed25519-sk` writes it to the `.pub` file. */
  get publicKey(): string {
    return `${TYPE} ${this.#blob.toString("base64")} software`;
  }

  /** An armored signature, as `ssh-keygen -Y sign` writes it. */
  sign(text: string, { touched = true, namespace = NAMESPACE }: SoftwareSignOptions = {}): string {
    const head = [string(namespace), string(""), string("sha512")];
    const signed = Buffer.concat([Buffer.from("SSHSIG"), ...head, string(hash("sha512", text))]);
    const state = Buffer.concat([Buffer.of(touched ? 1 : 0), uint32(++this.#counter)]);
    const asserted = Buffer.concat([hash("sha256", APPLICATION), state, hash("sha256", signed)]);
    const signature = Buffer.concat([string(TYPE), string(sign(null, asserted, this.#privateKey)), state]);
    return armor(Buffer.concat([Buffer.from("SSHSIG"), uint32(1), string(this.#blob), ...head, string(signature)]));
  }
}

function armor(blob: Buffer): string {
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}

function hash(algorithm: string, data: string | Buffer): Buffer {
  return createHash(algorithm).update(data).digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
