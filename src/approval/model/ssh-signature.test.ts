import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { makePlainKey, signPlainly } from "../../../test/support/plain-key.ts";
import { SoftwareAuthenticator } from "../../../test/support/software-authenticator.ts";
import { needs } from "../../../test/support/system.ts";
import { isHardwareKey, isSameKey, parseSshKey, publicPartOf } from "./ssh-key.ts";
import { parseSshSignature } from "./ssh-signature.ts";

needs("ssh");

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "windlass-keys-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const wrap = (bytes: Uint8Array): string =>
  `-----BEGIN SSH SIGNATURE-----\n${Buffer.from(bytes).toString("base64")}\n-----END SSH SIGNATURE-----\n`;
const unwrap = (text: string): Buffer => Buffer.from(text.replace(/-----.*-----|\n/g, ""), "base64");

describe("a signature", () => {
  test("of a plain key says whose key, what for and how", () => {
    const { path, publicKey } = makePlainKey(folder());
    const signature = parseSshSignature(signPlainly(path, "x", "elsewhere"));
    expect(signature).toMatchObject({ keyType: "ssh-ed25519", namespace: "elsewhere", hash: "sha512" });
    expect(signature?.present).toBeUndefined();
    expect(signature?.keyBlob).toEqual(parseSshKey(publicKey)?.blob);
    expect(parseSshSignature(signPlainly(path, "x").replaceAll("\n", "\r\n"))).toMatchObject({ hash: "sha512" });
  });

  test("of a security key says whether it was touched", () => {
    const key = new SoftwareAuthenticator();
    expect(parseSshSignature(key.sign("x"))).toMatchObject({ keyType: "sk-ssh-ed25519@openssh.com", present: true });
    expect(parseSshSignature(key.sign("x", { touched: false }))?.present).toBe(false);
  });

  test("is never believed about a length, and cut off or lengthened it is none", () => {
    const whole = unwrap(new SoftwareAuthenticator().sign("x"));
    for (let end = 0; end < whole.length; end++)
      expect(parseSshSignature(wrap(whole.subarray(0, end)))).toBeUndefined();
    expect(parseSshSignature(wrap(Buffer.concat([whole, Buffer.of(0)])))).toBeUndefined();
    const lying = Buffer.from(whole);
    lying.writeUInt32BE(0xffff_ffff, 10);
    expect(parseSshSignature(wrap(lying))).toBeUndefined();
  });

  test("that is any bytes or any text is read without an exception", () => {
    const head = Buffer.from("SSHSIG\0\0\0\u0001");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.string(), fc.boolean(), (bytes, text, isNear) => {
        const result = parseSshSignature(wrap(isNear ? Buffer.concat([head, bytes]) : bytes));
        if (!isNear) expect(result).toBeUndefined();
        expect(parseSshSignature(text)).toBeUndefined();
        expect(parseSshKey(text)).toBeUndefined();
      }),
    );
  });

  test("with one byte changed is read without an exception, and has no touch that nobody gave", () => {
    const whole = unwrap(new SoftwareAuthenticator().sign("x", { touched: false }));
    const flagsAt = whole.length - 5;
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const altered = Buffer.from(whole);
        altered[at] = (altered[at] ?? 0) ^ change;
        if (parseSshSignature(wrap(altered))?.present === true) expect(at).toBe(flagsAt);
      }),
    );
  });

  test("of endless length is none", () => {
    expect(parseSshSignature(wrap(Buffer.alloc(20_000)))).toBeUndefined();
  });
});

describe("a key", () => {
  const hardware = new SoftwareAuthenticator().publicKey;

  test("is its type and its bytes; the comment is beside it", () => {
    const key = parseSshKey(`${hardware} of anna\n`);
    expect(key).toMatchObject({ type: "sk-ssh-ed25519@openssh.com", comment: "software of anna" });
    expect(hardware.startsWith(`${key?.line} `)).toBe(true);
    const again = parseSshKey(hardware.replace(" software", ""));
    expect(key && again && isSameKey(key, again) && isHardwareKey(key)).toBe(true);
  });

  test("is read out of the private one, locked or not", () => {
    for (const passphrase of ["", "secret"]) {
      const { path, publicKey } = makePlainKey(folder(), "key", "anna", passphrase);
      expect(publicPartOf(readFileSync(path, "utf8"))).toEqual({ ...parseSshKey(publicKey), comment: "" });
    }
    expect(publicPartOf("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")).toBeUndefined();
  });

  test("that is any private text is read without an exception", () => {
    const wrapKey = (bytes: Uint8Array): string =>
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(bytes).toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
    const head = Buffer.from("openssh-key-v1\0");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(publicPartOf(wrapKey(bytes))).toBeUndefined();
        publicPartOf(wrapKey(Buffer.concat([head, bytes])));
      }),
    );
  });

  test.each([
    ["", "nothing"],
    ["ssh-ed25519", "no key"],
    [hardware.replace("sk-ssh-ed25519@openssh.com", "ssh-ed25519"), "another type than it says"],
    [`no-touch-required ${hardware}`, "options in front"],
    [`${hardware}\n${hardware}`, "two lines"],
    ["ssh-ed25519 AAAA*", "no base64"],
  ])("%j is none: %s", (text) => expect(parseSshKey(text)).toBeUndefined());
});
