import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { runningProcesses } from "./processes.ts";
import type { Machine } from "./state.ts";
import type { Listener } from "./state-shapes.ts";

/** Every TCP port that is listened on: what tests declare, and what processes of the machine really hold open. */
export function listeningPorts(machine: Machine): readonly Listener[] {
  const sockets = listeningSockets();
  const real = runningProcesses(machine.folder).flatMap(({ pid, image }) =>
    openSockets(pid).flatMap((inode) => {
      const socket = sockets.get(inode);
      return socket === undefined ? [] : [{ ...socket, pid, image }];
    }),
  );
  return [...machine.listeners, ...real];
}

/** By inode, from `/proc/net/tcp` and `tcp6` (https://docs.kernel.org/networking/proc_net_tcp.html). */
function listeningSockets(): ReadonlyMap<string, { readonly port: number; readonly address: string }> {
  const rows = ["tcp", "tcp6"].flatMap((table) => readLines(`/proc/net/${table}`).slice(1));
  const fields = rows.map((row) => row.trim().split(/\s+/));
  const listening = fields.filter(([, , , state]) => state === "0A");
  return new Map(
    listening.map((row) => {
      const [address = "", port = ""] = (row[1] ?? "").split(":");
      return [row[9] ?? "", { port: Number.parseInt(port, 16), address: addressOf(address) }];
    }),
  );
}

function addressOf(hex: string): string {
  if (/^0+$/.test(hex)) return hex.length === 8 ? "0.0.0.0" : "::";
  if (hex.length !== 8) return "::1";
  const bytes = hex.match(/../g) ?? [];
  return bytes
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join(".");
}

function openSockets(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    // It has ended.
    return [];
  }
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}
