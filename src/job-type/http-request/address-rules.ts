import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { AppError } from "../../error.ts";

/**
 * IPv4 ranges that are not the public internet, most of them from the IANA special-purpose registry. 168.63.129.16 is
 * the one metadata service (Azure) on a public address; those on 169.254.0.0/16 and 100.64.0.0/10 are covered.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 */
const REFUSED_IPV4: readonly (readonly [string, string])[] = [
  ["0.0.0.0/8", "an unspecified address"],
  ["10.0.0.0/8", "a private address"],
  ["100.64.0.0/10", "a shared (carrier NAT) address"],
  ["127.0.0.0/8", "a loopback address"],
  ["169.254.169.254/32", "a metadata address"],
  ["169.254.0.0/16", "a link-local address"],
  ["168.63.129.16/32", "a metadata address"],
  ["172.16.0.0/12", "a private address"],
  ["192.0.0.0/24", "a reserved address"],
  ["192.0.2.0/24", "a documentation address"],
  ["192.88.99.0/24", "a reserved address"],
  ["192.168.0.0/16", "a private address"],
  ["198.18.0.0/15", "a benchmark address"],
  ["198.51.100.0/24", "a documentation address"],
  ["203.0.113.0/24", "a documentation address"],
  ["224.0.0.0/4", "a multicast address"],
  ["255.255.255.255/32", "the broadcast address"],
  ["240.0.0.0/4", "a reserved address"],
];

/**
 * IPv6 ranges with a name of their own. What lies outside 2000::/3 is refused in any case, so a range that is missing
 * here costs a word in a message, not a hole.
 *
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const REFUSED_IPV6: readonly (readonly [string, string])[] = [
  ["::/128", "an unspecified address"],
  ["::1/128", "a loopback address"],
  ["fd00:ec2::254/128", "a metadata address"],
  ["fc00::/7", "a private address"],
  ["fe80::/10", "a link-local address"],
  ["fec0::/10", "a site-local address"],
  ["ff00::/8", "a multicast address"],
  ["2001::/23", "a reserved address"],
  ["2001:db8::/32", "a documentation address"],
  ["3fff::/20", "a documentation address"],
];

/** Where IPv6 addresses carry an IPv4 one: the range, and the first of its four bytes. */
const EMBEDDED: readonly (readonly [string, number])[] = [
  ["::ffff:0:0/96", 12],
  ["::/96", 12],
  ["64:ff9b::/96", 12],
  ["2002::/16", 2],
];

const V4_RULES = REFUSED_IPV4.map(([range, what]) => ({ list: rangesOf([range]), what }));
const V6_RULES = REFUSED_IPV6.map(([range, what]) => ({ list: rangesOf([range]), what }));
const EMBEDDED_RULES = EMBEDDED.map(([range, at]) => ({ list: rangesOf([range]), at }));
const GLOBAL_V6 = rangesOf(["2000::/3"]);

/** Says what is wrong with an address, or nothing. */
export interface AddressRules {
  /** True when `http_request.allow` lists the host by its name. */
  allowsHost(hostname: string): boolean;
  /**
   * Why an address is refused, such as `a loopback address`; `undefined` when it may be connected to.
   *
   * @param address as the resolver or the URL parser writes it, without brackets.
   */
  refusal(address: string): string | undefined;
}

/**
 * The addresses that `http.request` may connect to: the public internet, and what `allow` lists.
 *
 * @param allow host names, addresses and CIDR ranges.
 * @throws AppError `CONFIG` naming the entry that is none of them.
 */
export function addressRules(allow: readonly string[]): AddressRules {
  const hosts = new Set<string>();
  const ranges: string[] = [];
  for (const entry of allow) {
    const bare = entry.replace(/^\[(.*)\]$/, "$1");
    if (isIP(bare) !== 0 || bare.includes("/")) ranges.push(bare);
    else hosts.add(readHostName(entry));
  }
  // Two lists: in one, `::/0` would contain every IPv4 address too, as its mapped form.
  const allowed4 = rangesOf(ranges.filter((range) => !range.includes(":")));
  const allowed6 = rangesOf(ranges.filter((range) => range.includes(":")));
  const allows = (address: string): boolean =>
    contains(allowed4, address) || (isIPv6(address) && contains(allowed6, address));
  return {
    allowsHost: (hostname) => hosts.has(withoutRootDot(hostname)),
    refusal: (address) => (allows(address) ? undefined : refusalOf(address)),
  };
}

/** A host name without the dot of the DNS root, so that `localhost.` and `localhost` are one. */
export function withoutRootDot(hostname: string): string {
  return hostname.replace(/\.$/, "");
}

function refusalOf(address: string): string | undefined {
  if (isIPv4(address)) return V4_RULES.find(({ list }) => contains(list, address))?.what;
  if (!isIPv6(address)) return "not an address";
  const named = V6_RULES.find(({ list }) => contains(list, address))?.what;
  if (named !== undefined) return named;
  const carrier = EMBEDDED_RULES.find(({ list }) => contains(list, address));
  if (carrier !== undefined) return refusalOf(embeddedIPv4(address, carrier.at));
  return contains(GLOBAL_V6, address) ? undefined : "not a public address";
}

/** `list.check` with the zone of a link-local address (`fe80::1%eth0`) left out, which it does not understand. */
function contains(list: BlockList, address: string): boolean {
  const bare = address.replace(/%.*$/, "");
  return isIP(bare) !== 0 && list.check(bare, isIPv4(bare) ? "ipv4" : "ipv6");
}

function embeddedIPv4(address: string, at: number): string {
  // The URL parser writes every IPv6 address in one way: hexadecimal groups only, `::` for the longest run of zeros.
  const text = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  const bytes = [...left, ...zeros, ...right].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return bytes.slice(at, at + 4).join(".");
}

function readHostName(entry: string): string {
  const url = URL.parse(`http://${entry}`);
  const plain = url !== null && url.username === "" && url.port === "" && url.pathname === "/" && url.search === "";
  // An address in an odd spelling (010.0.0.1 is 8.0.0.1) would not mean what its author thinks.
  if (plain && !/[/?#@:]/.test(entry) && isIP(url.hostname) === 0) return withoutRootDot(url.hostname);
  throw notAnEntry(entry);
}

function rangesOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", prefix, ...rest] = entry.split("/");
    const bits = isIPv4(address) ? 32 : 128;
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (isIP(address) === 0 || address.includes("%") || rest.length > 0 || !(length <= bits)) throw notAnEntry(entry);
    list.addSubnet(address, length, bits === 32 ? "ipv4" : "ipv6");
  }
  return list;
}

function notAnEntry(entry: string): AppError {
  return new AppError(
    "CONFIG",
    `http_request.allow: ${JSON.stringify(entry)} is no host name, address or CIDR range; write one such as build.lan, 10.1.2.3 or 10.0.0.0/8`,
  );
}
