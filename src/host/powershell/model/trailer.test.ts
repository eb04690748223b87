import { expect, test } from "vitest";
import { parseHello } from "./hello.ts";
import { parseTrailer } from "./trailer.ts";

test("a trailer says how it ended, the 32-bit code and what was left", () => {
  expect(parseTrailer(" end=exited rc=3221225477 left=2")).toEqual({ end: "exited", code: 3_221_225_477, left: 2 });
  expect(parseTrailer(" end=timeout rc=1 left=0")).toEqual({ end: "timeout", code: 1, left: 0 });
});

test("a failure has a code and the system's words", () => {
  const say = Buffer.from("kein Pfad: é").toString("base64");
  expect(parseTrailer(` end=failed rc=0 left=0 code=PROGRAM_NOT_STARTED say=${say}`)).toEqual({
    end: "failed",
    code: 0,
    left: 0,
    failure: { code: "PROGRAM_NOT_STARTED", reason: "kein Pfad: é" },
  });
});

test.each([
  "end=exited rc=0 left=0",
  " end=exited rc=0",
  " end=exited rc=-1 left=0",
  " end=exited rc=4294967296 left=0",
  " end=exited rc=01 left=0",
  " end=exited rc=0 left=0 ",
  " end=exited rc=0 left=0 code=X say=",
  " end=failed rc=0 left=0",
  " end=failed rc=0 left=0 code=x say=",
  " end=Exited rc=0 left=0",
])("%j is no trailer", (text) => {
  expect(parseTrailer(text)).toBeUndefined();
});

test("a hello names the runner's version and its process", () => {
  expect(parseHello(" runner=1 pid=4711 started=639308752717977466 powershell=5.1.19041.5486")).toEqual({
    runner: 1,
    pid: 4711,
    started: "639308752717977466",
    powershell: "5.1.19041.5486",
  });
  expect(parseHello(" runner=1 pid=4711")).toBeUndefined();
});
