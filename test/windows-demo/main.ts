import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ACTS } from "./acts.ts";
import { Show } from "./show.ts";
import { Stage } from "./stage.ts";
import { terminalAudience } from "./terminal-audience.ts";

/**
 * `npm run demo:windows`: the commands that act on Windows, typed as an operator types them, against a simulated machine
 * behind a real sshd, Aloha's stand-in, and the real browser server with Debian's Chromium. Exits with 0 only when every
 * line brought what it should.
 */
const tool = fileURLToPath(new URL("../../tools/system-packages.mjs", import.meta.url));
spawnSync(process.execPath, [tool], { stdio: "inherit" });
const missing = ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/sftp"].filter((path) => !existsSync(path));
if (missing.length > 0) {
  console.error(`the demonstration needs a real SSH server: ${missing.join(", ")} missing`);
  process.exitCode = 1;
} else {
  process.exitCode = (await perform()) ? 0 : 1;
}

async function perform(): Promise<boolean> {
  const audience = terminalAudience(process.stdout);
  const startedMs = performance.now();
  await using stage = await Stage.set();
  const show = new Show(stage, audience);
  audience.say(
    `A Windows machine (simulated) behind a real sshd on 127.0.0.1:${stage.windows.sshPort}; ${stage.folder}`,
  );
  for (const [index, { title, needsChromium = false, play }] of ACTS.entries()) {
    audience.say(`\n${index + 1}  ${title}`);
    if (needsChromium && !existsSync("/usr/bin/chromium")) show.check("Chromium is there to show it", false);
    // One act that stops half way does not hide the others.
    else await play(show).catch((error: unknown) => show.check(String(error), false));
  }
  await stage[Symbol.asyncDispose]();
  show.check("the browser server's secret path stands nowhere in the evidence", stage.leaks.length === 0, stage.leaks);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  audience.say(
    `\n${show.failures.length === 0 ? "All of it holds" : `${show.failures.length} did not hold`}, ${seconds} s.`,
  );
  audience.say(
    `The evidence is in ${stage.folder}: artifacts/ (one folder a job, each with its manifest), workers' logs,`,
  );
  audience.say("windows-events.ndjson (what the machine saw), aloha-client.log, sshd.log. Look at the jobs with");
  audience.say(`  npx win-automation jobs list --db ${stage.folder}/.windlass/windlass.db`);
  return show.failures.length === 0;
}
