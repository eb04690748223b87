import type { Handlers } from "../../attempt/handlers.ts";
import { configuredServer } from "../../host/playwright/configured-server.ts";
import type { BindParts } from "../bind-parts.ts";
import { mirrored } from "../mirror.ts";
import { useRunner } from "../use-runner.ts";
import { playwrightRunHandlers } from "./handler.ts";

/** Binds `playwright.run` to the browser servers of the configuration. */
export function bindPlaywrightRun(parts: BindParts): Handlers {
  const { config, clock, machines } = parts;
  const handlers = playwrightRunHandlers({
    serverOf: (name, { outsideTimeout }) => {
      const host = machines.find(name);
      return configuredServer({ config, clock, machines }, name, ({ signal }, work) =>
        useRunner({ runners: machines.runners, host }, { signal, outsideTimeout }, work),
      );
    },
  });
  return mirrored(handlers, parts);
}
