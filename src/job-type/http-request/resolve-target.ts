import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { AppError } from "../../error.ts";
import { type AddressRules, withoutRootDot } from "./address-rules.ts";

/** Finds the addresses of a host name, as `dns.promises.lookup` with `all` does. */
export type LookUp = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Where a request goes: every address has been judged, and nothing else is connected to. */
export interface Target {
  /** Without brackets and without the dot of the DNS root. */
  readonly hostname: string;
  readonly port: number;
  readonly tls: boolean;
  readonly addresses: readonly LookupAddress[];
}

/**
 * Resolves the host of a URL once and judges every address. One refused address refuses the host: a name that has a
 * public and a private address would otherwise reach the private one by luck.
 *
 * @throws AppError `ADDRESS_REFUSED`; `HOST_UNREACHABLE` when the name is not found.
 */
export async function resolveTarget(url: URL, rules: AddressRules, lookUp: LookUp): Promise<Target> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const tls = url.protocol === "https:";
  const port = url.port === "" ? (tls ? 443 : 80) : Number(url.port);
  // The resolver sees the dot of the root, which keeps it from trying search domains; certificates and lists have none.
  const addresses = await addressesOf(host, lookUp);
  const hostname = withoutRootDot(host);
  if (!rules.allowsHost(hostname)) refuseAny(hostname, addresses, rules);
  return { hostname, port, tls, addresses };
}

async function addressesOf(hostname: string, lookUp: LookUp): Promise<readonly LookupAddress[]> {
  // The URL parser has turned every spelling that `inet_aton` takes (2130706433, 0x7f.1, 127.1) into four numbers.
  const family = isIP(hostname);
  if (family !== 0) return [{ address: hostname, family }];
  let found: readonly LookupAddress[];
  try {
    found = await lookUp(hostname);
  } catch (cause) {
    throw new AppError("HOST_UNREACHABLE", `the name ${hostname} was not found (${codeOf(cause)})`, { cause });
  }
  if (found.length === 0) throw new AppError("HOST_UNREACHABLE", `the name ${hostname} has no address`);
  return found;
}

function refuseAny(hostname: string, addresses: readonly LookupAddress[], rules: AddressRules): void {
  for (const { address } of addresses) {
    const what = rules.refusal(address);
    if (what === undefined) continue;
    const subject = address === hostname ? `${address} is` : `${hostname} has the address ${address},`;
    throw new AppError(
      "ADDRESS_REFUSED",
      `${subject} ${what}; to let http.request reach it, list ${hostname} in http_request.allow`,
      { details: { host: hostname, address } },
    );
  }
}

/** The system's name of an error, such as `ECONNREFUSED`, or its message. */
export function codeOf(error: unknown): string {
  // Several addresses were tried: the last one's reason is as good as any.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors.at(-1));
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
