import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ machine, context }) => {
  const { hostName, osVersion, powershellVersion, codePage } = machine.settings;
  return {
    system: "Microsoft Windows 10 Pro",
    version: osVersion.split(".").slice(0, 3).join("."),
    computer: hostName,
    user: context.user,
    is_elevated: true,
    session_id: context.session,
    powershell: powershellVersion,
    edition: powershellVersion.startsWith("5.") ? "Desktop" : "Core",
    code_page: codePage,
  };
};
