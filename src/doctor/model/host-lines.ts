import { type Finding, notConfigured } from "./finding.ts";

/** The lines about a machine, in their order. */
export const HOST_LINES = [
  ...["ssh", "powershell", "host_clock", "desktop", "firewall", "ports"],
  ...["aloha_server", "aloha_client", "playwright", "playwright_leak"],
] as const;

export const NO_ALOHA = notConfigured("Aloha is not configured");
export const NO_PLAYWRIGHT = notConfigured("Playwright is not configured");

/** The lines where no machine is configured: what could be. */
export function linesWithoutHost(): readonly (Finding & { readonly name: string })[] {
  return [
    { name: "ssh", ...notConfigured("no Windows machine is configured") },
    { name: "aloha_server", ...NO_ALOHA },
    { name: "aloha_client", ...NO_ALOHA },
    { name: "playwright", ...NO_PLAYWRIGHT },
  ];
}
