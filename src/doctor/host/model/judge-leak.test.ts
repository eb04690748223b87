import { expect, test } from "vitest";
import { judgeLeak } from "./judge-leak.ts";

const listening = (...addresses: readonly string[]) =>
  ({
    kind: "said",
    value: { is_listening: true, listeners: addresses.map((address) => ({ address, pid: 1, name: "node.exe" })) },
  }) as const;

const judged = (leaks: boolean, isOnNetwork: boolean, ...addresses: readonly string[]) =>
  judgeLeak({ kind: "said", value: { leaks, isOnNetwork } }, listening(...addresses));

test.each([
  [false, false, ["127.0.0.1", "::1"], "ok", "on loopback"],
  [true, false, ["127.0.0.1"], "warn", "to every account of the machine"],
  [false, false, ["0.0.0.0"], "warn", "it listens on 0.0.0.0, beyond loopback"],
  [false, true, [], "warn", "it is on the network, beyond loopback"],
  [true, false, ["127.0.0.1", "10.0.0.7"], "fail", "and it listens on 10.0.0.7"],
  [true, true, [], "fail", "and it is on the network"],
] as const)("tells: %s, on the network: %s, listens at %j is %s", (leaks, isOnNetwork, addresses, state, detail) => {
  const finding = judged(leaks, isOnNetwork, ...addresses);
  expect(finding).toMatchObject({ state, detail: expect.stringContaining(detail), facts: { leaks } });
  expect(finding.remedy?.includes("`windlass playwright install`") ?? true).toBe(true);
});

test("a server that is not reached cannot be judged", () => {
  const answer = { kind: "not_asked", reason: "playwright is not reached" } as const;
  expect(judgeLeak(answer, undefined)).toMatchObject({
    state: "unreachable",
    detail: "not asked: playwright is not reached",
  });
});
