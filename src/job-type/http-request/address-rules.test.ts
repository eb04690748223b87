import fc from "fast-check";
import { expect, test } from "vitest";
import { addressRules } from "./address-rules.ts";
import { resolveTarget } from "./resolve-target.ts";

const strict = addressRules([]);

test.each([
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["0.0.0.0", "unspecified"],
  ["0.1.2.3", "unspecified"],
  ["10.0.0.1", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["100.64.0.1", "shared"],
  ["100.127.255.255", "shared"],
  ["100.100.100.200", "shared"],
  ["169.254.1.1", "link-local"],
  ["169.254.169.254", "metadata"],
  ["168.63.129.16", "metadata"],
  ["192.0.0.192", "reserved"],
  ["192.0.2.1", "documentation"],
  ["198.51.100.7", "documentation"],
  ["203.0.113.9", "documentation"],
  ["198.18.0.1", "benchmark"],
  ["198.19.255.255", "benchmark"],
  ["224.0.0.1", "multicast"],
  ["239.255.255.250", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["fe80::1", "link-local"],
  ["fe80::1%eth0", "link-local"],
  ["fec0::1", "site-local"],
  ["fc00::1", "private"],
  ["fdff:ffff::1", "private"],
  ["fd00:ec2::254", "metadata"],
  ["ff02::1", "multicast"],
  ["2001:db8::1", "documentation"],
  ["3fff::1", "documentation"],
  ["2001::1", "reserved"],
  ["2001:2::1", "reserved"],
  ["100::1", "not a public"],
  ["64:ff9b:1::1", "not a public"],
  ["5f00::1", "not a public"],
  ["::ffff:127.0.0.1", "loopback"],
  ["::ffff:a9fe:a9fe", "metadata"],
  ["::127.0.0.1", "loopback"],
  ["::10.0.0.1", "private"],
  ["64:ff9b::192.168.0.1", "private"],
  ["2002:a00:1::1", "private"],
  ["2002:7f00:1::", "loopback"],
])("%s is refused as %s", (address, what) => {
  expect(strict.refusal(address)).toContain(what);
});

test.each([
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a00:1450:4001:80b::200e",
  "::ffff:1.1.1.1",
  "64:ff9b::1.1.1.1",
  "2002:101:101::1",
])("%s may be reached", (address) => {
  expect(strict.refusal(address)).toBeUndefined();
});

test("the list lets in a range, an address and a host, and nothing beside them", () => {
  const rules = addressRules(["10.1.0.0/16", "127.0.0.1", "fd12::/16", "[::1]", "Build.LAN", "nas.lan."]);
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "fd12::7", "::1"]) {
    expect(rules.refusal(address), address).toBeUndefined();
  }
  for (const address of ["10.2.0.1", "127.0.0.2", "fd13::1", "::2", "169.254.169.254", "::ffff:10.2.0.1"]) {
    expect(rules.refusal(address), address).toBeDefined();
  }
  for (const host of ["build.lan", "build.lan.", "nas.lan"]) expect(rules.allowsHost(host)).toBe(true);
  for (const host of ["lan", "a.build.lan", "build.lan.example.com"]) expect(rules.allowsHost(host)).toBe(false);
});

test("all of IPv6 on the list does not let IPv4 in", () => {
  const rules = addressRules(["::/0"]);
  expect(rules.refusal("fd00::1")).toBeUndefined();
  expect(rules.refusal("10.0.0.1")).toBe("a private address");
});

test.each([
  "10.0.0.0/33",
  "10.0.0/8",
  "::/129",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "10.0.0.0/-1",
  "fe80::1%eth0/64",
  "http://build.lan",
  "build.lan:8080",
  "0177.0.0.1",
  "127.1",
  "2130706433",
  "user@build.lan",
  "",
  "a b",
  "*.lan/8",
])("a list with %j is refused", (entry) => {
  expect(() => addressRules([entry])).toThrowError(expect.objectContaining({ code: "CONFIG" }));
});

/** The same ranges in plain arithmetic, to hold the table to. */
const PRIVATE: readonly (readonly [number, number])[] = [
  [ip(0, 0, 0, 0), 8],
  [ip(10, 0, 0, 0), 8],
  [ip(100, 64, 0, 0), 10],
  [ip(127, 0, 0, 0), 8],
  [ip(169, 254, 0, 0), 16],
  [ip(172, 16, 0, 0), 12],
  [ip(192, 168, 0, 0), 16],
  [ip(198, 18, 0, 0), 15],
  [ip(224, 0, 0, 0), 3],
];

const privateIPv4 = fc
  .constantFrom(...PRIVATE)
  .chain(([base, bits]) => fc.nat({ max: 2 ** (32 - bits) - 1 }).map((offset) => base + offset));

test("no private IPv4 address gets past in any spelling", async () => {
  const noLookUp = () => Promise.reject(new Error("a literal address was looked up"));
  await fc.assert(
    fc.asyncProperty(privateIPv4, spelling, async (address, spell) => {
      const url = URL.parse(`http://${spell(address)}/`);
      // What the parser does not take for a host is not reached either.
      if (url === null) return;
      await expect(resolveTarget(url, strict, noLookUp)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
    }),
    { numRuns: 3_000 },
  );
});

test("a spelling that is no host is the exception", () => {
  for (const spelled of [
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "[::ffff:127.0.0.1]",
    "１２７.0.0.1",
  ]) {
    expect(URL.parse(`http://${spelled}/`), spelled).not.toBeNull();
  }
});

test("a public address is let through as itself", async () => {
  const octet = fc.nat({ max: 255 });
  await fc.assert(
    fc.asyncProperty(fc.tuple(fc.integer({ min: 11, max: 99 }), octet, octet, octet), async (parts) => {
      const address = parts.join(".");
      const { addresses } = await resolveTarget(new URL(`http://${address}/`), strict, () => Promise.resolve([]));
      expect(addresses).toEqual([{ address, family: 4 }]);
    }),
  );
});

/** Ways of writing an IPv4 address that some parser takes. */
const spelling: fc.Arbitrary<(address: number) => string> = fc.oneof(
  fc
    .tuple(fc.array(radix(), { minLength: 4, maxLength: 4 }), fc.integer({ min: 1, max: 4 }), fc.constantFrom("", "."))
    .map(
      ([radixes, count, dot]) =>
        (address: number) =>
          parts(address, count)
            .map((part, index) => (radixes[index] ?? String)(part))
            .join(".") + dot,
    ),
  fc.constantFrom(
    (address: number) => `[::ffff:${dotted(address)}]`,
    (address: number) => `[::FFFF:${groups(address)}]`,
    (address: number) => `[0:0:0:0:0:ffff:${groups(address)}]`,
    (address: number) => `[::${dotted(address)}]`,
    (address: number) => `[64:ff9b::${dotted(address)}]`,
    (address: number) => `[2002:${groups(address)}::1]`,
    (address: number) => dotted(address).replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    (address: number) => dotted(address).replaceAll(".", "。"),
    (address: number) => dotted(address).replaceAll(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`),
    (address: number) => `public.example@${dotted(address)}`,
    (address: number) => `${dotted(address)}\\@public.example`,
    (address: number) => `${dotted(address)}:8080`,
    (address: number) => `${dotted(address).replaceAll(".", ".\t")}`,
  ),
);

function radix(): fc.Arbitrary<(part: number) => string> {
  return fc.constantFrom(
    (part: number) => String(part),
    (part: number) => `0x${part.toString(16)}`,
    (part: number) => `0X00${part.toString(16).toUpperCase()}`,
    (part: number) => `0${part.toString(8)}`,
    (part: number) => `000${part.toString(8)}`,
  );
}

/** One to four parts; the last one holds what is left, as in `127.1`. */
function parts(address: number, count: number): number[] {
  const bytes = [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
  const rest = bytes.slice(count - 1).reduce((sum, byte) => sum * 256 + byte, 0);
  return [...bytes.slice(0, count - 1), rest];
}

function dotted(address: number): string {
  return parts(address, 4).join(".");
}

function groups(address: number): string {
  return `${(address >>> 16).toString(16)}:${(address & 0xffff).toString(16)}`;
}

function ip(a: number, b: number, c: number, d: number): number {
  return ((a * 256 + b) * 256 + c) * 256 + d;
}
