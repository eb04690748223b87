import { expect, test } from "vitest";
import { type AskedPort, judgePorts } from "./judge-ports.ts";

const listener = (name: string, address = "0.0.0.0") => ({ name, address, pid: 4_711 });
const port = (listeners: readonly ReturnType<typeof listener>[], changes: Partial<AskedPort> = {}): AskedPort => ({
  ...{ port: 7_887, what: "Aloha's server", isReached: true, remedy: "start it" },
  ...{ answer: { kind: "said", value: { is_listening: listeners.length > 0, listeners } }, ...changes },
});
const browser = { port: 9_323, what: "the browser server", image: "node.exe" };

test("who listens is told with the image", () => {
  expect(judgePorts([port([listener("python.exe")]), port([listener("node.exe", "127.0.0.1")], browser)])).toEqual({
    state: "ok",
    detail: "7887: python.exe (process 4711) at 0.0.0.0, 9323: node.exe (process 4711) at 127.0.0.1",
    facts: { port_7887: "python.exe", port_9323: "node.exe" },
    remedy: null,
  });
});

test("a port that nobody listens on matters where nobody answers elsewhere", () => {
  expect(judgePorts([port([], { isReached: false })])).toEqual({
    state: "unreachable",
    detail: "7887: nobody listens for Aloha's server",
    facts: { port_7887: null },
    remedy: "start it",
  });
  expect(judgePorts([port([])])).toMatchObject({
    state: "warn",
    detail: "7887: nobody listens, and Aloha's server answers elsewhere",
    remedy: "nothing, where Aloha's server is meant to be elsewhere; else start it",
  });
});

test("somebody else's program on the port is named", () => {
  const finding = judgePorts([port([listener("svchost.exe")], { ...browser, isReached: false })]);
  expect(finding).toMatchObject({
    state: "unreachable",
    facts: { port_9323: "svchost.exe" },
    remedy: "end what holds port 9323, or give node.exe another one",
  });
});

test("without ports there is nothing to look at, and without an answer nothing is known", () => {
  expect(judgePorts([]).state).toBe("not_configured");
  const answer = { kind: "not_asked", reason: "ssh is down" } as const;
  expect(judgePorts([port([], { answer })])).toMatchObject({ state: "unreachable", detail: "not asked: ssh is down" });
});
