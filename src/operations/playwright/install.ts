import { z } from "zod";
import { type ConfiguredParts, configuredServer } from "../../host/playwright/configured-server.ts";
import { isLoopback } from "../../host/playwright/decide-route.ts";
import { installServer } from "../../host/playwright/install.ts";
import type { ServerParts } from "../../host/playwright/server-parts.ts";
import { WS_PATH_CHARACTERS_WANTED } from "../../host/playwright/ws-path.ts";
import { defineOperation } from "../operation.ts";
import { reportFailure } from "./report-failure.ts";
import { withMachines } from "./with-machines.ts";

const Input = z.strictObject({
  port: z.int().min(1).max(65_535).optional().describe("The port of the server. Default: playwright.port."),
  bind: z
    .union([z.ipv4(), z.ipv6(), z.literal("localhost")], { error: "is not an address" })
    .default("127.0.0.1")
    .describe("The address that it listens on. Beyond loopback the network can knock, and no SSH protects it."),
  run_as: z
    .string()
    .min(1)
    .optional()
    .describe("The Windows account that it runs under, best a plain one. Default: the account of the SSH session."),
  host: z.string().default("default").describe("The machine: a name of the block hosts, or default."),
});

/** Installs a browser server, or gives an installed one a new secret path. */
export const playwrightInstall = defineOperation({
  name: "playwright.install",
  summary: "Install the browser server on a Windows machine and start it.",
  description:
    "Node.js and Playwright must be there. The secret path comes from the environment (WINDLASS_PLAYWRIGHT_WS_PATH); run again it takes the one of now and restarts the server.",
  access: "write",
  input: Input,
  output: z.strictObject({
    state: z.literal("installed"),
    component: z.literal("playwright"),
    host: z.string(),
    port: z.int(),
    bind: z.string(),
    account: z.string().describe("That the server runs under."),
    version: z.string().describe("Of Playwright there."),
    changed: z.boolean().describe("The secret path differs from the one before."),
    warnings: z.array(z.string()),
  }),
  errors: ["CONFIG", "UNKNOWN_HOST", "PREREQUISITE_MISSING", "SCRIPT_FAILED", "HOST_UNREACHABLE", "TIMEOUT"],
  database: "none",
  lines: ({ warnings, ...installed }) => [installed, ...warnings.map((warning) => ({ warning }))],
  run: (input, context) => reportFailure(() => withMachines(context, (parts) => install(input, parts, context.signal))),
});

async function install(input: z.output<typeof Input>, configured: ConfiguredParts, signal: AbortSignal) {
  const parts = configuredServer(configured, input.host);
  const { bind, host } = input;
  const port = input.port ?? parts.server.port;
  await using access = await parts.openAccess({ signal });
  const order = { hostName: host, port, bind, runAs: input.run_as, wsPath: parts.wsPath };
  const { account, version, isRotated } = await installServer(access, order, { timeoutMs: parts.timeoutMs, signal });
  return {
    state: "installed" as const,
    component: "playwright" as const,
    host,
    port,
    bind,
    account,
    version,
    changed: isRotated,
    warnings: warningsOf(parts, { bind, port, account }),
  };
}

interface Chosen {
  readonly bind: string;
  readonly port: number;
  readonly account: string;
}

function warningsOf({ server, wsPath }: ServerParts, { bind, port, account }: Chosen): string[] {
  const warnings: string[] = [];
  if (!isLoopback(bind))
    warnings.push(
      `${bind}: whoever reaches port ${port} and knows the secret path acts as ${account}, and nothing on the way is encrypted; the firewall of the machine must let it in`,
    );
  if (/\bSYSTEM$/i.test(account))
    warnings.push("SYSTEM: whoever knows the secret path owns the machine; choose run_as");
  if (wsPath.value.length - 1 < WS_PATH_CHARACTERS_WANTED)
    warnings.push(`the secret path is shorter than ${WS_PATH_CHARACTERS_WANTED} characters and can be guessed`);
  if (port !== server.port) warnings.push(`playwright.port is ${server.port}; set it to ${port} to reach this server`);
  return warnings;
}
