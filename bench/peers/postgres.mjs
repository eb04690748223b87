import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A PostgreSQL server of our own in a temporary folder, as it is by default (fsync, synchronous_commit and full_page_writes
 * are on), on a socket only. It refuses to run as root; then it runs as the user `postgres`.
 *
 * @returns its URL, its version, and what stops it.
 */
export function startPostgres() {
  const bin = globSync("/usr/lib/postgresql/*/bin").sort().at(-1) ?? "/usr/bin";
  if (!existsSync(join(bin, "initdb"))) throw new Error("PostgreSQL is not installed: apt-get install postgresql");
  const folder = mkdtempSync(join(process.env.WINDLASS_BENCH_DIR ?? tmpdir(), "bench-pg-"));
  const root = process.getuid() === 0;
  if (root) execFileSync("chown", ["postgres", folder]);
  const run = (program, ...args) => {
    const [command, ...rest] = [...(root ? ["runuser", "-u", "postgres", "--"] : []), join(bin, program), ...args];
    return execFileSync(command, rest, { encoding: "utf8", cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  };
  const data = join(folder, "data");
  run("initdb", "-D", data, "-A", "trust", "-U", "bench", "--no-sync");
  run("pg_ctl", "-D", data, "-l", join(folder, "log"), "-w", "-o", `-c listen_addresses='' -k ${folder}`, "start");
  return {
    url: `postgresql://bench@localhost/bench?host=${encodeURIComponent(folder)}`,
    version: run("postgres", "--version").trim(),
    stop() {
      run("pg_ctl", "-D", data, "-m", "immediate", "stop");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
