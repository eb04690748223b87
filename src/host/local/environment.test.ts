import { expect, test } from "vitest";
import { allowedEnvironment, helperEnvironment } from "./environment.ts";

const WORKER = {
  PATH: "/usr/bin",
  SSH_AUTH_SOCK: "/run/agent",
  AWS_PROFILE: "lab",
  WINDLASS_PLAYWRIGHT_WS_PATH: "s",
  WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: "s",
  WINDLASS_HATCHET_TOKEN: "s",
  HATCHET_CLIENT_TOKEN: "s",
};

test("a program of a job gets what is allowed by name, and no more", () => {
  expect(allowedEnvironment(["PATH", "LANG", "SHLVL"], WORKER)).toEqual({ PATH: "/usr/bin" });
});

test("a helper gets what its own configuration may want, and none of our settings", () => {
  expect(helperEnvironment(WORKER)).toEqual({ PATH: "/usr/bin", SSH_AUTH_SOCK: "/run/agent", AWS_PROFILE: "lab" });
});
