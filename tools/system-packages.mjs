// Gets what the tests and the Windows demonstration need from Debian: a real SSH server, a real browser. As root on Debian
// it installs what is missing; anybody else is told what is missing and the command. It never fails: the tests that need a
// missing part skip and say so (test/support/system.ts). When nothing is missing it costs no process, only a few looks.
// `node tools/system-packages.mjs` does the same by hand.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Where a package puts the file that shows that it is there. */
const PACKAGES = {
  "openssh-client": ["/usr/bin/ssh", "/usr/bin/sftp", "/usr/bin/ssh-keygen"],
  "openssh-server": ["/usr/sbin/sshd"],
  "openssh-sftp-server": ["/usr/lib/openssh/sftp-server"],
  chromium: ["/usr/bin/chromium"],
  ffmpeg: ["/usr/bin/ffmpeg"],
};

/** What a test can ask for, and the packages that make it. */
const PARTS = {
  ssh: ["openssh-client"],
  sshd: ["openssh-client", "openssh-server", "openssh-sftp-server"],
  chromium: ["chromium"],
  ffmpeg: ["ffmpeg"],
};

const INSTALL = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "install"];
const INSTALL_MS = 600_000;
const UPDATE_MS = 120_000;

/** Vitest's global setup: gives each test process the sentence about every missing part. */
export function setup(project) {
  project.provide("missingParts", getPackages());
}

/** Installs what may be installed; for each part that is still missing, what to say about it. */
export function getPackages() {
  const before = missingPackages();
  if (before.length === 0) return {};
  const refusal = refuseInstall();
  const problem = refusal ?? install(before);
  const missing = missingPackages();
  if (missing.length === 0) return {};
  const command = `sudo apt-get install ${missing.join(" ")}`;
  console.log(
    `system packages: ${missing.join(", ")} missing${problem ? ` (${problem})` : ""}; get them with: ${command}`,
  );
  return Object.fromEntries(
    Object.entries(PARTS).flatMap(([part, packages]) => {
      const needed = packages.filter((name) => missing.includes(name));
      return needed.length === 0
        ? []
        : [[part, `needs ${needed.join(", ")}: sudo apt-get install ${needed.join(" ")}`]];
    }),
  );
}

function missingPackages() {
  return Object.keys(PACKAGES).filter((name) => !PACKAGES[name].every((path) => existsSync(path)));
}

/** Why nothing is installed here without being asked. */
function refuseInstall() {
  if (!existsSync("/usr/bin/apt-get")) return "this is no Debian";
  if (process.getuid?.() !== 0) return "only root can install them";
  // A package with a service would start it: nobody wants an SSH server on his own machine for having run the tests.
  if (existsSync("/run/systemd/system") && process.env.CI !== "true")
    return "this is no container, so that is yours to do";
  return undefined;
}

/** Undefined, or the last thing that apt said when it failed. */
function install(packages) {
  const startedMs = Date.now();
  console.log(`system packages: installing ${packages.join(", ")}`);
  // A fresh container has no lists yet; a machine that has them need not fetch them again.
  const known = apt([...INSTALL, ...packages], INSTALL_MS);
  if (known.ok) return tell(packages, startedMs);
  apt(["-q", "update"], UPDATE_MS);
  const fetched = apt([...INSTALL, ...packages], INSTALL_MS);
  return fetched.ok ? tell(packages, startedMs) : fetched.problem;
}

function tell(packages, startedMs) {
  console.log(`system packages: installed ${packages.join(", ")} in ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
}

function apt(args, timeoutMs) {
  const { status, stderr, error } = spawnSync("/usr/bin/apt-get", args, {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: timeoutMs,
    // RUNLEVEL=1: scripts of packages start no service.
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1", LC_ALL: "C" },
  });
  const said = (stderr ?? "").trim().split("\n");
  return {
    ok: status === 0,
    problem: error?.message ?? (said.findLast((line) => line.startsWith("E:")) || said.at(-1)),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) getPackages();
