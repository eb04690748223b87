import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { MachineIdentity } from "../../attempt/handlers.ts";

/**
 * Which machine this is. On Linux all three parts come from the kernel and `/etc/machine-id`. Elsewhere the host is its
 * name, the boot is `kern.bootsessionuuid` (macOS) or `unknown`, and the pid namespace is `none`: two boots that cannot
 * be told apart are safe, because a program is known again by its start time and a nonce, not by the boot alone.
 */
export function machineIdentity(): MachineIdentity {
  return {
    host: firstText("/etc/machine-id", "/var/lib/dbus/machine-id") ?? hostname(),
    boot: firstText("/proc/sys/kernel/random/boot_id") ?? bootSession() ?? "unknown",
    pidNamespace: pidNamespace(),
  };
}

function firstText(...paths: readonly string[]): string | undefined {
  for (const path of paths) {
    try {
      const text = readFileSync(path, "utf8").trim();
      // systemd writes "uninitialized" into images that have not had their first boot.
      if (text !== "" && text !== "uninitialized") return text;
    } catch {
      // The next path may be there.
    }
  }
  return undefined;
}

function bootSession(): string | undefined {
  if (process.platform !== "darwin") return undefined;
  try {
    return execFileSync("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "none";
  }
}
