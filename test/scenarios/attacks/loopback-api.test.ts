import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CliFolder, type RunningCli } from "../../support/cli.ts";

// The second attack of docs/threat-model.md: an agent enqueues http.request to an API that listens on this machine alone.

const AGENT = { env: { WINDLASS_ACTOR: "agent:codex" } };
const TOKEN = "wt_5b1f2c0c9e7d4a63";
const RULES = `version: 1
rules:
  - { name: read, access: read, allow: true }
  - { name: agents-call, actors: ["agent:*"], types: [http.request], allow: true }
  - { name: people, actors: ["person:*", "unattended:*", "schedule:*", "job:*"], allow: true }
`;
const DECIDE = "/approvals/01900000-0000-7000-8000-000000000000/approve";

/** An API on loopback: whoever has the token decides. */
class Api implements AsyncDisposable {
  readonly requests: string[] = [];
  connections = 0;
  decided = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      const isKnown = request.headers.authorization === `Bearer ${TOKEN}`;
      if (isKnown) this.decided++;
      response.writeHead(isKnown ? 200 : 401).end(isKnown ? "approved" : "no token");
    });
    this.#server.on("connection", () => this.connections++);
  }

  /** On both loopback addresses, where this machine has both. */
  async listen(): Promise<number> {
    this.#server.listen(0, "::").on("error", () => this.#server.listen(0, "127.0.0.1"));
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

let api: Api;
let port: number;
beforeAll(async () => {
  api = new Api();
  port = await api.listen();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  api.requests.length = 0;
  api.connections = 0;
});

interface Ended {
  readonly url: string;
  readonly state: string;
  readonly error: string;
}

/** Stores one job for each input, as the agent, and waits for their ends. */
async function attack(
  cli: CliFolder,
  inputs: readonly object[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Ended[]> {
  const stdin = inputs.map((input) => `${JSON.stringify({ type: "http.request", retries: 0, input })}\n`).join("");
  const stored = await cli.json<{ jobs: { job_id: string }[] }>(["jobs", "enqueue", "--from-file", "-"], {
    env: { ...AGENT.env, ...env },
    stdin,
  });
  expect(stored.status, stored.stderr).toBe(0);
  const ids = stored.value.jobs.map(({ job_id }) => job_id);
  const { value } = await cli.json<{ jobs: (Ended & { job_id: string })[] }>(["jobs", "wait", ...ids]);
  const ends = new Map(value.jobs.map((job) => [job.job_id, job]));
  return ids.map((id, index) => {
    const { state = "", error = "" } = ends.get(id) ?? {};
    return { url: String((inputs[index] as { url?: unknown }).url), state, error };
  });
}

describe("with the addresses as they are", () => {
  let cli: CliFolder;
  let worker: RunningCli;
  beforeAll(async () => {
    cli = new CliFolder();
    cli.write(".windlass/windlass.policy.yaml", RULES);
    worker = await cli.worker();
  });
  afterAll(async () => {
    worker.kill("SIGTERM");
    await worker.ended;
    await cli[Symbol.asyncDispose]();
  });

  test("no spelling of this machine's own addresses is connected to", async () => {
    const hosts = [
      ...["127.0.0.1", "127.1", "127.255.255.254", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.0.0.1."],
      ...["localhost", "LOCALHOST", "localhost.", "0.0.0.0", "0", "１２７。0。0。1", "%31%32%37.0.0.1"],
      ...["[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"],
      ...["[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "[fe80::1]"],
    ];
    const urls = hosts.map((host) => `http://${host}:${port}${DECIDE}`);
    const ended = await attack(
      cli,
      urls.map((url) => ({ url, method: "POST", headers: { authorization: `Bearer ${TOKEN}` } })),
    );
    expect(ended).toEqual(
      urls.map((url) => {
        // Some resolvers do not know it; then it is no address at all.
        const codes = url.includes("localhost.:") ? /^(ADDRESS_REFUSED|HOST_UNREACHABLE): / : /^ADDRESS_REFUSED: /;
        return { url, state: "failed", error: expect.stringMatching(codes) };
      }),
    );
    expect(api.connections).toBe(0);
  });

  test("a rule for URLs refuses it before anything is stored", async () => {
    await using own = new CliFolder();
    own.write(
      ".windlass/windlass.policy.yaml",
      RULES.replace("types: [http.request]", 'types: [http.request], url_hosts: ["api.example.com", "*.example.net"]'),
    );
    for (const host of ["127.0.0.1", "localhost", "[::1]", "api.example.com.evil.test", "example.net"]) {
      const url = `http://${host}:${port}${DECIDE}`;
      const { value } = await own.json(["jobs", "enqueue", "--type", "http.request", "--url", url], AGENT);
      expect([host, value["code"]]).toEqual([host, "POLICY_DENIED"]);
    }
    // What stands before the @ is no host, and the type takes no such URL.
    const url = `http://api.example.com@127.0.0.1:${port}${DECIDE}`;
    const { value } = await own.json(["jobs", "enqueue", "--type", "http.request", "--url", url], AGENT);
    expect(value["code"]).toBe("INVALID_INPUT");
    const { value: listed } = await own.json<{ jobs: unknown[] }>(["jobs", "list"]);
    expect(listed.jobs).toEqual([]);
  });

  test("nor is a name of the machine's own hosts file that leads there", async ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), "windlass-hosts-"));
    const hosts = join(folder, "hosts");
    writeFileSync(
      hosts,
      "127.0.0.1 localhost\n::1 six.api.test\n127.0.0.1 api.test\n10.0.0.1 both.test\n127.0.0.1 both.test\n",
    );
    const run = (host: string) =>
      promisify(execFile)(
        "unshare",
        [
          ...["-m", "sh", "-c", `mount --bind ${hosts} /etc/hosts && exec "$@"`, "sh"],
          ...[...cli.program.split(" "), "run", "http.request", "--url", `http://${host}:${port}${DECIDE}`],
        ],
        { cwd: cli.path, env: { PATH: process.env["PATH"], HOME: cli.path } },
      ).then(
        () => "",
        (error: { readonly stderr: string }) => error.stderr,
      );
    try {
      const first = await run("api.test");
      if (first.includes("unshare:") || first.includes("mount:")) return skip("needs root and mount namespaces");
      for (const said of [first, await run("six.api.test"), await run("both.test")])
        expect(said).toContain("ADDRESS_REFUSED");
      expect(api.connections).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("with loopback on the list", () => {
  test("a redirect reaches only what is listed too; and what is listed is reached without the token", async () => {
    await using cli = new CliFolder();
    cli.write(".windlass/windlass.policy.yaml", RULES);
    // A service that somebody listed, and that the agent can make redirect.
    const turn = createServer((request, response) => {
      const host = new URL(request.url ?? "/", "http://x").searchParams.get("to");
      response.writeHead(307, { location: `http://${host}:${port}${DECIDE}` }).end();
    });
    turn.listen(0, "127.0.0.1");
    await once(turn, "listening");
    const turnPort = (turn.address() as AddressInfo).port;
    try {
      const worker = await cli.worker([], {
        env: { WINDLASS_HTTP_REQUEST_ALLOW: "127.0.0.1", WINDLASS_API_TOKEN: TOKEN },
      });
      const authorization = { $secret: "WINDLASS_API_TOKEN" };
      const refused = await attack(
        cli,
        ["127.0.0.2", "[::1]", "0.0.0.0", "[::ffff:127.0.0.3]"].map((to) => ({
          url: `http://127.0.0.1:${turnPort}/?to=${to}`,
          method: "POST",
        })),
      );
      for (const { state, error } of refused)
        expect({ state, error }).toEqual({ state: "failed", error: expect.stringContaining("ADDRESS_REFUSED") });
      expect(api.connections).toBe(0);
      const plain = { url: `http://127.0.0.1:${port}${DECIDE}`, method: "POST" };
      const [listed, byRedirect] = await attack(cli, [
        plain,
        { url: `http://127.0.0.1:${turnPort}/?to=127.0.0.1`, method: "POST" },
      ]);
      for (const end of [listed, byRedirect])
        expect(end).toMatchObject({ state: "failed", error: expect.stringContaining("UNEXPECTED_STATUS") });
      expect(api.requests).toEqual([`POST ${DECIDE}`, `POST ${DECIDE}`]);
      // The worker has the token in its environment. It resolves what its own configuration lists for the type, which is
      // nothing, whatever the agent's configuration says.
      const [secret] = await attack(cli, [{ ...plain, headers: { authorization } }], {
        WINDLASS_HTTP_REQUEST_SECRETS: "WINDLASS_API_TOKEN",
      });
      expect(secret).toMatchObject({ state: "failed", error: expect.stringContaining("WINDLASS_API_TOKEN") });
      expect(api.requests).toHaveLength(2);
      expect(api.decided).toBe(0);
      worker.kill("SIGTERM");
      await worker.ended;
    } finally {
      turn.close();
    }
  });
});
