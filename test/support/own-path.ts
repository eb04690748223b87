import { execFileSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A folder that is all of a PATH, and in which ssh-keygen can be missing or not be startable. */
export class OwnPath {
  readonly environment: { readonly PATH: string };
  readonly #program: string;
  readonly #real = execFileSync("/bin/sh", ["-c", "command -v ssh-keygen"], { encoding: "utf8" }).trim();

  constructor(folder: string) {
    this.environment = { PATH: folder };
    this.#program = join(folder, "ssh-keygen");
    this.giveBack();
  }

  /** How it fails then. */
  lose(how: "ENOENT" | "EACCES"): void {
    if (how === "ENOENT") rmSync(this.#program);
    else chmodSync(this.#program, 0o600);
  }

  giveBack(): void {
    rmSync(this.#program, { force: true });
    writeFileSync(this.#program, `#!/bin/sh\nexec ${this.#real} "$@"\n`, { mode: 0o755 });
  }
}
