import { Machines } from "../../host/machines.ts";
import type { ConfiguredParts } from "../../host/playwright/configured-server.ts";
import type { CallContext } from "../operation.ts";

/** Does something with the machines of the configuration, and closes what it opened. */
export async function withMachines<T>(
  { loadConfig, clock }: Pick<CallContext, "loadConfig" | "clock">,
  act: (parts: ConfiguredParts) => Promise<T>,
): Promise<T> {
  const { config } = await loadConfig();
  await using machines = new Machines({ config, clock });
  return await act({ config, clock, machines });
}
