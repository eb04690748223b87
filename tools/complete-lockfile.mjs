// Some registries carry only the packages of their own platform. npm then leaves the others out of package-lock.json,
// and `npm ci` refuses the file ("Missing: ... from lock file"). This adds an entry for each of them, marked with the
// platform that its name tells, so that the lockfile is the same everywhere. Run it after adding or updating a package.
import { readFileSync, writeFileSync } from "node:fs";

const OS = { android: "android", darwin: "darwin", freebsd: "freebsd", linux: "linux", openharmony: "openharmony" };
Object.assign(OS, {
  win32: "win32",
  windows: "win32",
  aix: "aix",
  netbsd: "netbsd",
  openbsd: "openbsd",
  sunos: "sunos",
});
const CPUS = ["arm64", "arm", "armv7", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "loongarch64", "wasm32"];
const CPU_NAMES = { armv7: "arm", loongarch64: "loong64" };

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const added = [];
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (lock.packages[path] !== undefined) continue;
    const platform = platformOf(name);
    if (platform === undefined || !/^\d/.test(version)) {
      console.error(`complete-lockfile: cannot tell the platform or the version of ${name}@${version}; left out`);
      continue;
    }
    lock.packages[path] = { version, ...platform, ...(parent.dev === true ? { dev: true } : {}), optional: true };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")));
if (added.length > 0) writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
console.log(`complete-lockfile: ${added.length} entries added`);

function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.map((word) => OS[word]).find((found) => found !== undefined);
  const cpu = words.find((word) => CPUS.includes(word));
  if (os === undefined || cpu === undefined) return undefined;
  const libc = words.find((word) => word.startsWith("musl"))
    ? "musl"
    : words.some((word) => word.startsWith("gnu"))
      ? "glibc"
      : undefined;
  return { os: [os], cpu: [CPU_NAMES[cpu] ?? cpu], ...(libc === undefined ? {} : { libc: [libc] }) };
}
