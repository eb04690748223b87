import { expect, test } from "vitest";
import { readWsPath } from "./ws-path.ts";

test.each([undefined, "", "/"])("%j is no secret path", (given) => {
  expect(() => readWsPath(given)).toThrow(expect.objectContaining({ code: "CONFIG" }));
});

test.each(["a?b", "a#b", "a/../b", "a b", "\u00e4", 'a"b'])(
  "%j would be changed by a URL, so no server could compare it",
  (given) => {
    expect(() => readWsPath(given)).toThrow(expect.objectContaining({ code: "CONFIG" }));
  },
);

test("it has its slash, whether it was given or not", () => {
  expect([readWsPath("secret").value, readWsPath("/secret").value]).toEqual(["/secret", "/secret"]);
});

test("a text loses the path, and whatever follows the port of an endpoint", () => {
  const { redact } = readWsPath("/hunter2/path");
  expect(redact("connect ws://127.0.0.1:9323/hunter2/path failed")).toBe("connect ws://127.0.0.1:9323/*** failed");
  expect(redact("the path hunter2/path, hunter2%2Fpath")).not.toMatch(/hunter2/);
  expect(readWsPath("ab").redact("wss://[::1]:9/ab?x 'ws://h:1/ab'")).toBe("wss://[::1]:9/*** 'ws://h:1/***'");
});
