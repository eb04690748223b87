import { setTimeout as wait } from "node:timers/promises";
import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";

const SECOND_MS = 1_000;

/** `ping -n COUNT [-w MS] HOST`: a second between echoes, as people use it to wait. Only this machine answers. */
export async function main(program: Program): Promise<number> {
  const { host, count } = read(program.args);
  if (host === undefined) {
    program.line("\r\nUsage: ping [-t] [-a] [-n count] [-l size] [-f] [-i TTL] [-v TOS]");
    return 1;
  }
  const isOwn = ["localhost", "127.0.0.1", "::1", program.machine.settings.hostName].includes(host);
  if (!isOwn) {
    program.line(`Ping request could not find host ${host}. Please check the name and try again.`);
    return 1;
  }
  program.line(`\r\nPinging ${host} [127.0.0.1] with 32 bytes of data:`);
  for (let sent = 0; sent < count; sent++) {
    if (sent > 0) await wait(SECOND_MS);
    program.line("Reply from 127.0.0.1: bytes=32 time<1ms TTL=128");
  }
  program.line("\r\nPing statistics for 127.0.0.1:");
  program.line(`    Packets: Sent = ${count}, Received = ${count}, Lost = 0 (0% loss),`);
  program.line("Approximate round trip times in milli-seconds:");
  program.line("    Minimum = 0ms, Maximum = 0ms, Average = 0ms");
  return 0;
}

function read(args: readonly string[]): { readonly host: string | undefined; readonly count: number } {
  let host: string | undefined;
  let count = 4;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (/^[-/]n$/i.test(word)) count = Number(args[++at]);
    else if (/^[-/]t$/i.test(word)) count = Number.POSITIVE_INFINITY;
    else if (/^[-/]w$/i.test(word)) at++;
    else if (/^[-/]/.test(word)) throw new NotModelled(`ping ${word}`);
    else host = word;
  }
  return { host, count };
}
