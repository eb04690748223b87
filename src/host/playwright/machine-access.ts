import type { NamedHost } from "../inventory.ts";
import type { Machines } from "../machines.ts";
import type { LendRunner } from "../powershell/runner-pool.ts";
import { askHost } from "../powershell/scripts.ts";
import type { HostAccess } from "./host-access.ts";

/**
 * The machine of a browser server by its connection and its warm runners, which belong to `machines` and stay open.
 *
 * @param lend default: from the pool. A job gives one that does not count the wait for a runner against its timeout.
 */
export function machineAccess(
  machines: Machines,
  host: NamedHost,
  lend: LendRunner = (options, work) => machines.runners.use(host, options, work),
): HostAccess {
  const connection = machines.connection(host);
  return {
    ask: (question, argument, { timeoutMs, signal }) =>
      lend({ signal }, (runner) => askHost(runner, question, argument, { timeoutMs, signal })),
    upload: (content, remotePath, options) => connection.upload(content, remotePath, options),
    tunnel: (target, options) => connection.tunnel(target, options),
    [Symbol.asyncDispose]: async () => {},
  };
}
