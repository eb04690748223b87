/** Where a browser server is reached from here. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9323`, `[::1]:9323`. */
export function authorityOf({ host, port }: Endpoint): string {
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}
