// The browser server of Windlass. It is copied to the machine that has the browser and started there by the scheduled
// task WinAutomation-Playwright:
//
//   node launch-server.js [--port 9323] [--bind 127.0.0.1] [--modules FOLDER] [--browsers FOLDER]
//
// Playwright is looked for in --modules (a folder node_modules), beside this file, and where it is installed globally.
// The secret path is read from ws_path.txt beside this file and never printed. What it does stands in run/server.log,
// who it is in run/server.json (process id, version, port). It ends with 1 when its browser dies, so that the task is
// started again; with 0 when it is told to stop (SIGTERM, SIGINT).
//
// Environment: PLAYWRIGHT_BROWSERS_PATH as Playwright reads it (--browsers wins); NODE_PATH; and for machines without
// Playwright's own browser, and tests, WINDLASS_CHROMIUM (the program) and WINDLASS_CHROMIUM_ARGS (a JSON list).
//
// One file without static imports and exports, because it must run whether the package.json around it, if there is one,
// says "module" or "commonjs".
(async () => {
  const builtIn = (name) => process.getBuiltinModule(name);
  const { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } =
    builtIn("node:fs");
  const { basename, delimiter, dirname, join, resolve } = builtIn("node:path");
  const { createRequire } = builtIn("node:module");
  const LOG_BYTES_MAX = 1_000_000;

  const folder = dirname(resolve(process.argv[1]));
  const runFolder = join(folder, "run");
  let wsPath = "";
  const options = readOptions(process.argv.slice(2));

  // Playwright's debug output holds the endpoint.
  delete process.env.DEBUG;
  delete process.env.PWDEBUG;
  if (options.browsers !== undefined) process.env.PLAYWRIGHT_BROWSERS_PATH = options.browsers;

  wsPath = readSecretPath();
  const { playwright, version } = findPlaywright();
  await refuseTakenPort();
  hidePath();
  const server = await launch();
  let stopping = false;
  server.on("close", () => {
    rmSync(join(runFolder, "server.json"), { force: true });
    if (!stopping) fail("the browser ended");
    log("info", "stopped");
    process.exit(0);
  });
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
      stopping = true;
      server.close().catch((error) => fail(`the browser does not end: ${firstLine(error)}`));
    });
  }
  writeFacts();
  log("info", `listening on ${options.bind}:${options.port}, Playwright ${version}, process ${process.pid}`);

  function readOptions(words) {
    const found = { port: 9323, bind: "127.0.0.1", modules: undefined, browsers: undefined };
    for (let at = 0; at < words.length; at += 2) {
      const name = words[at].replace(/^--/, "");
      if (!words[at].startsWith("--") || !Object.hasOwn(found, name)) fail(`unknown option ${words[at]}`);
      if (words[at + 1] === undefined || words[at + 1] === "") fail(`${words[at]} needs a value`);
      found[name] = words[at + 1];
    }
    found.port = Number(found.port);
    if (!Number.isInteger(found.port) || found.port < 1 || found.port > 65_535) fail("--port is not 1 to 65535");
    return found;
  }

  function readSecretPath() {
    let text = "";
    try {
      text = readFileSync(join(folder, "ws_path.txt"), "utf8")
        .replace(/^\uFEFF/, "")
        .trim();
    } catch (error) {
      fail(`ws_path.txt beside ${basename(process.argv[1])} cannot be read (${error.code})`);
    }
    if (text === "") fail("ws_path.txt is empty");
    return text.startsWith("/") ? text : `/${text}`;
  }

  function findPlaywright() {
    const require = createRequire(join(folder, "launch-server.js"));
    const folders = moduleFolders();
    for (const modules of folders) {
      for (const name of ["playwright", "playwright-core"]) {
        const place = join(modules, name);
        if (!existsSync(join(place, "package.json"))) continue;
        try {
          return { playwright: require(place), version: require(join(place, "package.json")).version };
        } catch (error) {
          fail(`${place} does not load: ${firstLine(error)}`);
        }
      }
    }
    const looked = `looked in ${folders.join(", ")}`;
    return fail(`playwright is not installed; run \`npm install playwright\` in ${folder} (${looked})`);
  }

  /**
   * Folders named node_modules that may hold Playwright: our own, then where `npm install --global` puts packages. Those
   * above our own, which `require` would try too, are left out: anybody may create C:\node_modules.
   */
  function moduleFolders() {
    const { APPDATA, NODE_PATH = "", ProgramFiles, npm_config_prefix: prefix } = process.env;
    const node = dirname(process.execPath);
    const windows = [prefix, APPDATA && join(APPDATA, "npm"), node, ProgramFiles && join(ProgramFiles, "nodejs")];
    const others = [prefix && join(prefix, "lib"), join(node, "..", "lib"), "/usr/local/lib", "/usr/lib"];
    const global = (process.platform === "win32" ? windows : others).map((one) => one && join(one, "node_modules"));
    const all = [options.modules, join(folder, "node_modules"), ...NODE_PATH.split(delimiter), ...global];
    return [...new Set(all.filter((one) => one !== undefined && one !== ""))];
  }

  /**
   * Before the browser is launched: Playwright would launch it first and then find that the port is taken. Windows lets
   * two listen on one port when one of them said 0.0.0.0, so a port that somebody answers is taken too.
   */
  async function refuseTakenPort() {
    const net = builtIn("node:net");
    const { port, bind: host } = options;
    const isAnswered = await new Promise((done) => {
      const socket = net.connect({ port, host: host === "0.0.0.0" ? "127.0.0.1" : host });
      socket.setTimeout(2_000, () => done(true));
      socket.once("connect", () => done(true)).once("error", () => done(false));
      socket.once("connect", () => socket.destroy()).once("timeout", () => socket.destroy());
    });
    if (isAnswered) fail(`port ${port} of ${host} is taken`);
    await new Promise((done) => {
      const probe = net.createServer();
      probe.once("error", (error) => fail(`cannot listen on ${host}:${port} (${error.code})`));
      probe.listen({ port, host, exclusive: true }, () => probe.close(done));
    });
  }

  /** Playwright tells the secret path to whoever asks GET /json. To its listener every request is one for "/". */
  function hidePath() {
    builtIn("node:diagnostics_channel").subscribe("http.server.request.start", ({ request }) => {
      request.url = "/";
    });
  }

  async function launch() {
    const { WINDLASS_CHROMIUM: executablePath, WINDLASS_CHROMIUM_ARGS: args } = process.env;
    try {
      return await playwright.chromium.launchServer({
        headless: true,
        port: options.port,
        host: options.bind,
        wsPath,
        handleSIGTERM: false,
        handleSIGINT: false,
        ...(executablePath ? { executablePath } : {}),
        ...(args ? { args: JSON.parse(args) } : {}),
      });
    } catch (error) {
      return fail(`the browser does not start: ${firstLine(error)}`);
    }
  }

  /** Renamed into place, because others read it while it is written. */
  function writeFacts() {
    const { bind, port } = options;
    const facts = { pid: process.pid, version, node: process.versions.node, bind, port, started_at: new Date() };
    try {
      mkdirSync(runFolder, { recursive: true });
      writeFileSync(join(runFolder, "server.json.new"), `${JSON.stringify(facts)}\n`);
      renameSync(join(runFolder, "server.json.new"), join(runFolder, "server.json"));
    } catch (error) {
      log("warn", `run/server.json cannot be written (${error.code})`);
    }
  }

  function firstLine(error) {
    const [line = ""] = String(error?.message ?? error).split("\n", 1);
    return line;
  }

  function log(level, message) {
    // The first lines of errors are Playwright's; none is known that holds the path, and none will.
    const safe = wsPath === "" ? message : message.replaceAll(wsPath, "/***");
    const line = `ts=${new Date().toISOString()} level=${level} component=playwright msg=${JSON.stringify(safe)}\n`;
    process.stdout.write(line);
    try {
      mkdirSync(runFolder, { recursive: true });
      const file = join(runFolder, "server.log");
      const { size = 0 } = statSync(file, { throwIfNoEntry: false }) ?? {};
      if (size > LOG_BYTES_MAX) renameSync(file, `${file}.old`);
      appendFileSync(file, line);
    } catch {
      // A folder that cannot be written must not keep the browser from being served.
    }
  }

  function fail(message) {
    log("error", message);
    process.exit(1);
  }
})().catch((error) => {
  // Without its text: nobody knows what it holds.
  process.stderr.write(`the launcher is broken: ${error?.name} ${error?.code ?? ""}\n`);
  process.exit(1);
});
