import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClientEnd, explainFailure, judgeEnd } from "./diagnostics.ts";

// As OpenSSH 9.2 wrote them.
const trace = (place: string, text: string) => `debug1: ${place}:1531 (pid=4711): ${text}`;
const asked = trace("mux.c:mux_client_request_session()", "session request sent");
const opened = trace("mux.c:mux_client_request_session()", "master session id: 2");
const surplus =
  "mux.c:mux_client_request_session():1972 (pid=4711): session request failed: Session open refused by peer";
const fromMaster = (status: number) =>
  trace("mux.c:mux_client_request_session()", `Received exit status from master ${status}`);
const vanished = trace("mux.c:mux_client_request_session()", "Control master terminated unexpectedly");
const connected = trace("ssh.c:main()", "timeout: 5000 ms remain after connect");
const sending = trace("clientloop.c:client_session2_setup()", "Sending command: dir");
const rtype = (name: string) =>
  trace("clientloop.c:client_input_channel_req()", `client_input_channel_req: channel 0 rtype ${name} reply 0`);
const exitStatus = (status: number) => trace("clientloop.c:client_loop()", `Exit status ${status}`);

const end = (lines: readonly string[], more: Partial<ClientEnd> = {}): ClientEnd => ({
  ...{ code: 255, signal: null, killedWith: undefined, text: lines.map((line) => `${line}\r\n`).join("") },
  ...more,
});

describe("a status that came", () => {
  test.each([
    [0, 0],
    [255, 255],
    [256, 256],
    [259, 259],
    [-1_073_741_819, 3_221_225_477],
    [-1, 4_294_967_295],
  ])("printed as %i is %i, over a shared connection and over one of its own", (printed, code) => {
    const shared = judgeEnd(end([asked, opened, fromMaster(printed)], { code: code % 256 }), true);
    expect(shared).toEqual({ code, signal: null, failure: undefined, diagnostics: "" });
    const own = [connected, sending, rtype("exit-status"), exitStatus(printed)];
    expect(judgeEnd(end(own, { code: code % 256 }), false)).toMatchObject({ code, failure: undefined });
  });

  test("wins over a kill that came too late, and over what a refused shared session said before", () => {
    expect(judgeEnd(end([asked, opened, fromMaster(7)], { killedWith: "SIGTERM" }), true)).toMatchObject({ code: 7 });
    const lines = [asked, surplus, connected, sending, rtype("exit-status"), exitStatus(3)];
    expect(judgeEnd(end(lines, { code: 3 }), true)).toMatchObject({ code: 3, diagnostics: "" });
  });

  test("without traces, as from an old client, is believed unless it is 255", () => {
    expect(judgeEnd(end([], { code: 7 }), true)).toMatchObject({ code: 7 });
    expect(judgeEnd(end([]), true)).toMatchObject({ code: null, failure: { kind: "no_status", beganSession: true } });
  });
});

describe("no status", () => {
  test("over a shared connection that lives: the command was killed; over one that is gone: the line was cut", () => {
    const lines = [asked, opened, vanished];
    expect(judgeEnd(end(lines), true).failure).toMatchObject({ kind: "no_status", beganSession: true });
    expect(judgeEnd(end(lines), false).failure).toMatchObject({ kind: "cut", beganSession: true });
  });

  test("over a connection of its own: killed where the server says so, else cut", () => {
    const killed = [connected, sending, rtype("exit-signal"), exitStatus(-1)];
    expect(judgeEnd(end(killed), true).failure).toMatchObject({ kind: "no_status" });
    expect(judgeEnd(end([connected, sending, exitStatus(-1)]), true).failure).toMatchObject({ kind: "cut" });
    expect(judgeEnd(end([connected, sending]), true).failure).toMatchObject({ kind: "cut", beganSession: true });
  });

  test("a request that may have been sent has begun, whatever is said afterwards", () => {
    const lines = [asked, "ssh: connect to host lab port 22: Connection refused"];
    expect(judgeEnd(end(lines), false).failure).toMatchObject({ beganSession: true });
    expect(judgeEnd(end([connected, sending, "Connection to lab closed by remote host."]), true).failure).toMatchObject(
      {
        ...{ kind: "cut", transient: true, beganSession: true },
      },
    );
  });

  test("a command that the server refused to start has not begun", () => {
    const lines = [connected, sending, "exec request failed on channel 0"];
    expect(judgeEnd(end(lines), true).failure).toMatchObject({ kind: "refused", beganSession: false });
  });

  test("our own kill is told by its signal", () => {
    const killed = { code: null, signal: "SIGKILL", killedWith: "SIGKILL" };
    expect(judgeEnd(end([asked, opened], killed), true)).toMatchObject({ signal: "SIGKILL", failure: undefined });
    // ssh catches a TERM and exits.
    expect(judgeEnd(end([asked, opened], { killedWith: "SIGTERM" }), true)).toMatchObject({ signal: "SIGTERM" });
  });

  test("somebody else's kill of the local ssh is a cut", () => {
    const killed = end([asked, opened], { code: null, signal: "SIGKILL" });
    expect(judgeEnd(killed, true)).toMatchObject({ code: null, signal: null, failure: { kind: "cut" } });
  });
});

test.each([
  ["ssh: connect to host 10.0.0.9 port 22: Connection refused", "unreachable", true],
  ["ssh: connect to host 10.0.0.9 port 22: No route to host", "unreachable", true],
  ["ssh: connect to host 10.0.0.9 port 22: Connection timed out", "unreachable", true],
  [
    "kex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.0.9 port 22",
    "unreachable",
    true,
  ],
  ["kex_exchange_identification: read: Connection reset by peer", "unreachable", true],
  ["Connection timed out during banner exchange\nConnection to 10.0.0.9 port 22 timed out", "timeout", true],
  ["ssh: Could not resolve hostname lab: Name or service not known", "unresolved", false],
  ["ssh: Could not resolve hostname lab: Temporary failure in name resolution", "unresolved", true],
  ["administrator@lab: Permission denied (publickey,password).", "auth", false],
  ["Received disconnect from 10.0.0.9 port 22:2: Too many authentication failures", "auth", false],
  [
    "No ED25519 host key is known for [127.0.0.1]:22 and you have requested strict checking.\nHost key verification failed.",
    "host_key",
    false,
  ],
  ["@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", "host_key", false],
  ["kex_exchange_identification: banner line contains invalid characters", "protocol", false],
  [
    "Unable to negotiate with 10.0.0.9 port 22: no matching host key type found. Their offer: ssh-rsa",
    "protocol",
    false,
  ],
  ["command-line: line 0: Bad configuration option: foo", "config", false],
  ["Bad owner or permissions on /root/.ssh/config", "config", false],
  ["channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed", "refused", true],
])("%s is %s", (text, kind, transient) => {
  expect(explainFailure(text)).toEqual({ kind, transient, beganSession: false, text });
});

test("what is not known may have begun, unless the traces tell that nothing was sent", () => {
  expect(explainFailure("something new")).toMatchObject({ kind: "unknown", transient: false, beganSession: true });
  expect(explainFailure(`${connected}\nsomething new`)).toMatchObject({ kind: "unknown", beganSession: false });
  expect(explainFailure(`${connected}\nConnection closed by 10.0.0.9 port 22`)).toMatchObject({
    ...{ kind: "cut", transient: true, beganSession: false },
  });
});

const anyLine = fc.oneof(
  fc.constantFrom(asked, opened, vanished, surplus, connected, sending, rtype("exit-signal"), "Permission denied (x)."),
  fc.constantFrom(exitStatus(-1), fromMaster(3), "Broken pipe", "exec request failed on channel 0", ""),
  fc.string(),
);
const anyEnd = fc.record({
  code: fc.option(fc.integer({ min: 0, max: 255 })),
  signal: fc.option(fc.constantFrom("SIGTERM", "SIGKILL")),
  killedWith: fc.option(fc.constantFrom("SIGTERM", "SIGKILL"), { nil: undefined }),
  text: fc.array(anyLine).map((lines) => lines.join("\n")),
});

test("exactly one of code, signal and failure tells the end, whatever ssh wrote", () => {
  fc.assert(
    fc.property(anyEnd, fc.boolean(), (given, isMasterAlive) => {
      const { code, signal, failure } = judgeEnd(given, isMasterAlive);
      expect([code !== null, signal !== null, failure !== undefined].filter(Boolean)).toHaveLength(1);
    }),
  );
});

test("nothing that follows a sent request makes it safe to send again, but the server's word that it did not start", () => {
  const lines = fc.array(anyLine.filter((line) => line !== surplus && !line.startsWith("exec request")));
  fc.assert(
    fc.property(fc.constantFrom(asked, sending), lines, (sent, after) => {
      const { failure } = judgeEnd(end([sent, ...after]), false);
      expect(failure?.beganSession ?? true).toBe(true);
    }),
  );
});

test("a refused login and a wrong host key are never worth another attempt, whatever stands around them", () => {
  const verdict = fc.constantFrom("Host key verification failed.", "x@y: Permission denied (publickey).");
  fc.assert(
    fc.property(fc.array(fc.string()), verdict, fc.array(fc.string()), (head, line, tail) => {
      expect(explainFailure([...head, line, ...tail].join("\n")).transient).toBe(false);
    }),
  );
});
