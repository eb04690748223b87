import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { AppError, errorText, toErrorRecord } from "../../src/error.ts";
import { decodeClixml } from "../../src/host/powershell/model/clixml.ts";
import type { ScriptArgument } from "../../src/host/powershell/request.ts";
import type { RunnerProcess, RunnerTransport } from "../../src/host/powershell/runner/transport.ts";
import { PowerShellRunner } from "../../src/host/powershell/runner.ts";
import { askHost, DESKTOP_SESSION, type HostQuestion, READ_FILE } from "../../src/host/powershell/scripts.ts";

// The other side of the connection is whoever took the machine over: it knows every nonce and says what it likes. What it may
// not do is fill our memory, keep us for ever, or make us believe what it did not say in the right form.
const { signal: never } = new AbortController();
const CHUNK = Buffer.alloc(1 << 20, "x");
const MIB_SENT = 256;
/** Far below what is sent, far above what this process needs otherwise. */
const GROWTH_MAX = 128 << 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What a machine says, with its back-pressure. */
interface Mouth {
  readonly nonce: string;
  out(bytes: string | Buffer): Promise<void>;
  err(bytes: string | Buffer): Promise<void>;
  /** On both streams, as the runner's own lines. */
  both(text: string): Promise<void>;
  close(): void;
  readonly isClosed: boolean;
}

type Behaviour = (mouth: Mouth) => Promise<void> | void;
const HELLO = "runner=1 pid=7 started=1 powershell=5.1";
const greet: Behaviour = (mouth) => mouth.both(`\n${mouth.nonce} ${HELLO}\n`);
const END = "end=exited rc=0 left=0";

/** A machine that greets and answers as it is told to. */
function machine({ hello = greet, answer = () => {} }: { hello?: Behaviour; answer?: Behaviour }): RunnerTransport {
  let sessions = 0;
  return {
    start: async () => {
      // Nobody is let in a second time, to end what the first one does not.
      if (++sessions > 1) throw new AppError("HOST_UNREACHABLE", "no");
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const { promise: ended, resolve } = Promise.withResolvers<object>();
      const close = (): void => {
        stdout.end();
        stderr.end();
        resolve({});
      };
      const kill = (): void => {
        for (const stream of [stdin, stdout, stderr]) stream.destroy();
        resolve({});
      };
      let isFirst = true;
      createInterface({ input: stdin }).on("line", (line) => {
        if (!line.startsWith("{")) return;
        const { nonce } = JSON.parse(line) as { nonce: string };
        void (isFirst ? hello : answer)(mouthOf(nonce, { stdout, stderr, close }));
        isFirst = false;
      });
      stdin.on("close", close);
      return { stdin, stdout, stderr, ended, kill } satisfies RunnerProcess;
    },
  };
}

function mouthOf(
  nonce: string,
  { stdout, stderr, close }: { stdout: PassThrough; stderr: PassThrough; close: () => void },
): Mouth {
  const say = async (stream: PassThrough, bytes: string | Buffer): Promise<void> => {
    if (stream.destroyed || stream.writableEnded) return;
    const isTaken = stream.write(bytes);
    // Timers get their turn, as between the reads of a socket.
    do await new Promise((resolve) => setImmediate(resolve));
    while (!isTaken && stream.writableNeedDrain && !stream.destroyed);
  };
  return {
    nonce,
    close,
    out: (bytes) => say(stdout, bytes),
    err: (bytes) => say(stderr, bytes),
    both: async (text) => void (await Promise.all([say(stdout, text), say(stderr, text)])),
    get isClosed() {
      return stdout.destroyed || stdout.writableEnded;
    },
  };
}

let opened: PowerShellRunner[] = [];
afterEach(async () => {
  for (const runner of opened) await runner[Symbol.asyncDispose]();
  opened = [];
});

async function start(behaviour: Parameters<typeof machine>[0]): Promise<PowerShellRunner> {
  const limits = { startTimeoutMs: 300, answerTimeoutMs: 100 };
  const runner = await PowerShellRunner.start(machine(behaviour), { clock: systemClock, signal: never, ...limits });
  opened.push(runner);
  return runner;
}

async function run(answer: Behaviour, timeoutMs = 300) {
  const runner = await start({ answer });
  const bytes = { stdout: 0, stderr: 0 };
  const count = (stream: keyof typeof bytes, { length }: Buffer): void => {
    bytes[stream] += length;
  };
  const end = await runner.run(
    { line: "x" },
    {
      timeoutMs,
      signal: never,
      stdout: (chunk) => count("stdout", chunk),
      stderr: (chunk) => count("stderr", chunk),
    },
  );
  return { end, bytes, isUsable: runner.isUsable };
}

async function ask(question: typeof DESKTOP_SESSION | typeof READ_FILE, say: string): Promise<string> {
  const runner = await start({
    answer: async (mouth) => {
      await mouth.out(say);
      await mouth.both(`\n${mouth.nonce} ${END}\n`);
    },
  });
  try {
    await askHost<ScriptArgument, unknown>(
      runner,
      question as HostQuestion<ScriptArgument, unknown>,
      {},
      { timeoutMs: 5_000, signal: never },
    );
    return "answered";
  } catch (error) {
    return errorText(toErrorRecord(error));
  }
}

/** The most that the process grew while something ran. */
async function growthOf<T>(work: () => Promise<T>): Promise<{ value: T; bytes: number }> {
  const before = process.memoryUsage.rss();
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  const value = await work();
  clearInterval(look);
  return { value, bytes: Math.max(most, process.memoryUsage.rss()) - before };
}

describe("before it is ready", () => {
  const refused = (hello: Behaviour) =>
    start({ hello }).then(
      () => "started",
      (error) => errorText(toErrorRecord(error)),
    );

  test("a machine that talks for ever is given up in time, and what it said is not kept", async () => {
    let sentMib = 0;
    const endless: Behaviour = async (mouth) => {
      for (; !mouth.isClosed; sentMib += 2) {
        // Bytes of their own each time: keeping them costs something.
        await Promise.all([mouth.out(Buffer.from(CHUNK)), mouth.err(Buffer.from(CHUNK))]);
        // What nobody keeps is not to be counted.
        if (sentMib % 16 === 0) collectGarbage();
      }
    };
    const { value, bytes } = await growthOf(() => refused(endless));
    expect(value).toMatch(/^TIMEOUT: PowerShell was not ready within 300 ms/);
    expect(bytes).toBeLessThan(GROWTH_MAX);
  });

  test.each<[string, Behaviour]>([
    ["silence", () => {}],
    ["another nonce", ({ both }) => both(`\n${"0".repeat(32)} ${HELLO}\n`)],
    ["a nonce in capitals", ({ nonce, both }) => both(`\n${nonce.toUpperCase()} ${HELLO}\n`)],
    ["a greeting on one stream", ({ nonce, out }) => out(`\n${nonce} ${HELLO}\n`)],
    ["a greeting that does not end", ({ nonce, both }) => both(`\n${nonce} ${HELLO.repeat(10_000)}`)],
    ["a version that is a text", ({ nonce, both }) => both(`\n${nonce} runner=one pid=7 started=1 powershell=5\n`)],
    ["escapes in its version", ({ nonce, both }) => both(`\n${nonce} ${HELLO}\u001b]0;x\u0007\n`)],
  ])("%s is no greeting", async (_what, hello) => {
    expect(await refused(hello)).toMatch(/^TIMEOUT: PowerShell was not ready/);
  });

  test("of what a machine says instead only a beginning is told", async () => {
    const { value } = await growthOf(() =>
      refused(async (mouth) => {
        for (let sent = 0; sent < 8; sent++) await mouth.err(CHUNK);
        mouth.close();
      }),
    );
    expect(value).toMatch(/^RUNNER_FAILED: .*PowerShell ended before it was ready; it says: xxx/);
    expect(value.length).toBeLessThan(9_000);
  });
});

describe("a trailer counts only as it should be", () => {
  test.each<[string, (nonce: string) => string]>([
    ["another nonce", () => `${"0".repeat(32)} ${END}`],
    ["a code of 33 bits", (nonce) => `${nonce} end=exited rc=4294967296 left=0`],
    ["a negative code", (nonce) => `${nonce} end=exited rc=-1 left=0`],
    ["an end that there is not", (nonce) => `${nonce} end=completed rc=0 left=0`],
    ["two spaces", (nonce) => `${nonce}  ${END}`],
    ["something behind it", (nonce) => `${nonce} ${END} code=OK`],
    ["a failure without its code", (nonce) => `${nonce} end=failed rc=0 left=0`],
    ["a failure of 20 KB", (nonce) => `${nonce} end=failed rc=0 left=0 code=X say=${"QUFB".repeat(5_000)}`],
  ])("%s: output, and the end is unknown", async (_what, line) => {
    const said = { length: 0 };
    const { end, bytes, isUsable } = await run(async (mouth) => {
      const text = `\n${line(mouth.nonce)}\n`;
      said.length = text.length;
      await mouth.both(text);
      mouth.close();
    });
    expect(end).toMatchObject({ kind: "unknown", remoteState: "unknown" });
    expect(bytes).toEqual({ stdout: said.length, stderr: said.length });
    expect(isUsable).toBe(false);
  });

  test("one that comes on one stream alone is waited for, and not for ever", async () => {
    const { end } = await run((mouth) => mouth.out(`\n${mouth.nonce} ${END}\n`));
    expect(end).toMatchObject({ kind: "timeout", remoteState: "unknown" });
  });

  test("one of an error that we do not know is no failure that may be tried again", async () => {
    const { end } = await run((mouth) =>
      mouth.both(`\n${mouth.nonce} end=failed rc=0 left=0 code=HOST_UNREACHABLE say=${btoa("x")}\n`),
    );
    expect(end).toMatchObject({ kind: "unknown" });
  });

  test("what comes behind it spoils the runner for the next command", async () => {
    const { end, isUsable } = await run((mouth) => mouth.both(`\n${mouth.nonce} ${END}\n\n${mouth.nonce} ${END}\n`));
    expect([end.kind, isUsable]).toEqual(["exited", false]);
  });
});

test.each<[string, (nonce: string) => Buffer]>([
  ["one line", () => CHUNK],
  ["beginnings of its own line", (nonce) => Buffer.from(`\n${nonce} end=exited rc=0 `.repeat(20_000))],
  ["newlines", () => Buffer.alloc(1 << 20, "\n")],
])("hundreds of megabytes of %s pass without being held", async (_what, chunk) => {
  const { value, bytes } = await growthOf(() =>
    run(async (mouth) => {
      const piece = chunk(mouth.nonce);
      for (let sent = 0; sent < MIB_SENT << 20; sent += piece.length) await mouth.err(piece);
      await mouth.both(`\n${mouth.nonce} end=exited rc=3 left=0\n`);
    }, 25_000),
  );
  expect(value.end).toMatchObject({ kind: "exited", code: 3 });
  expect(value.bytes.stderr).toBeGreaterThanOrEqual(MIB_SENT << 20);
  expect(bytes).toBeLessThan(GROWTH_MAX);
});

describe("an answer of another shape is refused in a short sentence", () => {
  const sessions = (items: string): string => `{"sessions":[${items}]}`;

  test.each<[string, typeof DESKTOP_SESSION | typeof READ_FILE, string]>([
    ["no JSON", DESKTOP_SESSION, "x".repeat(100_000)],
    ["nothing", DESKTOP_SESSION, ""],
    ["a list", DESKTOP_SESSION, "[]"],
    ["a depth of a million", DESKTOP_SESSION, `{"sessions":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`],
    ["a million items", DESKTOP_SESSION, sessions(`${"0,".repeat(1_000_000)}0`)],
    ["a thousand wrong items", DESKTOP_SESSION, sessions(`${"0,".repeat(999)}0`)],
    ["more than an answer may have", DESKTOP_SESSION, sessions(`"${"x".repeat(6 << 20)}"`)],
    ["a prototype", DESKTOP_SESSION, '{"__proto__":{"sessions":[]}}'],
    ["a negative size", READ_FILE, '{"exists":true,"size":-1,"offset":0,"data":""}'],
    ["what is no base64", READ_FILE, `{"exists":true,"size":1,"offset":0,"data":"${"=".repeat(3 << 20)}"}`],
  ])("%s", async (_what, question, said) => {
    const { value, bytes } = await growthOf(() => ask(question, said));
    expect(value).toMatch(/^SCRIPT_FAILED: /);
    expect(value.length).toBeLessThan(700);
    expect(bytes).toBeLessThan(GROWTH_MAX);
  });
});

test("what pretends to be PowerShell's XML costs no more than its length", () => {
  const bombs = [
    "#< CLIXML\r\n",
    "#< CLIXML<Objs>",
    '#< CLIXML<Objs><S S="Error">',
    '<S S="Error">_x005F_x005F_&amp;&#x41;</S>',
    "#< CLIXML<Objs></Objs>",
    '#< CLIXML<Objs><S S="Error">&#x110000;&#99999999;_xD800_</S></Objs>',
  ];
  const startedMs = performance.now();
  for (const bomb of bombs) {
    const text = bomb.repeat(Math.ceil((2 << 20) / bomb.length));
    expect(decodeClixml(text).length).toBeLessThanOrEqual(text.length);
    expect(decodeClixml(`#< CLIXML\r\n<Objs>${text}</Objs>`).length).toBeLessThanOrEqual(text.length + 40);
  }
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
