/** A host by name or address, and its port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** As URLs write it: `127.0.0.1:9323`, `[::1]:9323`. */
export function authorityOf({ host, port }: Endpoint): string {
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** As sockets take it: an IPv6 address without its brackets. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
