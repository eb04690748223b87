import type { Handlers } from "../../attempt/handlers.ts";
import { configuredServer } from "../../host/playwright/configured-server.ts";
import type { BindParts } from "../bind-parts.ts";
import { mirrored } from "../mirror.ts";
import { runnerLender } from "../use-runner.ts";
import { playwrightRunHandlers } from "./handler.ts";

/** Binds `playwright.run` to the browser servers of the configuration. */
export function bindPlaywrightRun(parts: BindParts): Handlers {
  const { config, clock, machines } = parts;
  const handlers = playwrightRunHandlers({
    serverOf: (name, { outsideTimeout }) => {
      const lend = runnerLender({ runners: machines.runners, host: machines.find(name) }, { outsideTimeout });
      return configuredServer({ config, clock, machines }, name, lend);
    },
  });
  return mirrored(handlers, parts);
}
