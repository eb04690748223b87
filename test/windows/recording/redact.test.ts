import { expect, test } from "vitest";
import { redact } from "./redact.ts";

test("a recording holds no secret path, no token, no key, no address of the machine and no path of this side", () => {
  const env = {
    WINDLASS_PLAYWRIGHT_WS_PATH: "canary-1",
    WIN_AUTOMATION_HATCHET_API_TOKEN: "canary-10",
    WINDLASS_WINDOWS_SSH_HOST: "win.example",
    WINDLASS_WINDOWS_SSH_IDENTITY_FILE: "/home/ada/.ssh/id",
    WINDLASS_WINDOWS_SSH_PORT: "22",
  };
  const key = "-----BEGIN OPENSSH PRIVATE KEY-----\\nabc\\n-----END OPENSSH PRIVATE KEY-----";
  const text = `ws://win.example:9323/canary-1 canary-10 -i /home/ada/.ssh/id ${key} /tmp/windlass-cli-a1B2c3/x port 22`;
  expect(redact(text, env)).toBe(
    "ws://<windows_ssh_host>:9323/<playwright_ws_path> <hatchet_api_token> -i <windows_ssh_identity_file> <private key> <project>/x port 22",
  );
});
