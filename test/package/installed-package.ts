import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import manifest from "../../package.json" with { type: "json" };
import { type Ended, runProgram, StartedProgram } from "./started-program.ts";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What the build and the tarball are made of. */
const SOURCES = [
  "src",
  "tools",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "LICENSE",
  "README.md",
  ".npmrc",
];
const MODULES = join(ROOT, "node_modules");

/** The packed program as a user has it: installed in a folder that held nothing. */
export class InstalledPackage implements AsyncDisposable {
  /** The user's folder. */
  readonly folder: string;
  /** The copy of the checkout that it was built from. */
  readonly source: string;
  readonly #root: string;
  readonly #started: StartedProgram[] = [];

  private constructor(root: string) {
    this.#root = root;
    this.folder = join(root, "user");
    this.source = join(root, "source");
  }

  /** Builds and packs a copy of the sources and installs the tarball, without a network. */
  static async create(): Promise<InstalledPackage> {
    const root = mkdtempSync(join(tmpdir(), "windlass-package-"));
    const installed = new InstalledPackage(root);
    const { source } = installed;
    for (const name of SOURCES)
      cpSync(join(ROOT, name), join(source, name), { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
    symlinkSync(MODULES, join(source, "node_modules"));
    mkdirSync(installed.folder);
    mkdirSync(join(root, "home"));
    // The `prepare` script builds, as it does for whoever publishes.
    await installed.#npm(["pack", "--silent", "--pack-destination", root], source);
    const tarball = readdirSync(root).find((name) => name.endsWith(".tgz")) ?? "no tarball";
    const linked = Object.keys(manifest.dependencies).map((name) => [name, `file:${join(MODULES, name)}`]);
    const dependencies = { windlass: `file:${join(root, tarball)}`, ...Object.fromEntries(linked) };
    writeFileSync(
      join(installed.folder, "package.json"),
      JSON.stringify({ private: true, type: "module", dependencies }),
    );
    await installed.#npm(["install", "--silent", "--offline", "--ignore-scripts"], installed.folder);
    return installed;
  }

  /** Lets the user's folder see a package of the checkout, such as types. */
  link(name: string): void {
    const place = join(this.folder, "node_modules", name);
    if (existsSync(place)) return;
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(MODULES, name), place);
  }

  /** Writes a file into the user's folder, or to an absolute path. */
  write(name: string, text: string): void {
    const path = resolve(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  /** The `windlass` that npm installed. */
  get binary(): string {
    return join(this.folder, "node_modules", ".bin", "windlass");
  }

  startWindlass(...args: readonly string[]): StartedProgram {
    return this.#start(this.binary, args, this.folder);
  }

  /** Runs a file with the Node of the tests, from the folder where it lies. */
  node(file: string): Promise<Ended> {
    return this.startNode(file).ended;
  }

  startNode(file: string): StartedProgram {
    const path = join(this.folder, file);
    return this.#start(process.execPath, [basename(path)], dirname(path));
  }

  /** Runs a line as a user types it, in one of their folders. */
  types(line: string, folder = "."): Promise<Ended> {
    return this.#start("sh", ["-c", line], resolve(this.folder, folder)).ended;
  }

  /** Checks types in the user's folder. */
  tsc(project: string): Promise<Ended> {
    return runProgram(join(MODULES, ".bin", "tsc"), ["-p", project], { cwd: this.folder, env: this.env });
  }

  /** Nothing of whoever runs the tests but the way to the programs. */
  get env(): Readonly<Record<string, string>> {
    const path = [dirname(this.binary), dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
    return { PATH: path, HOME: join(this.#root, "home"), npm_config_cache: join(this.#root, "cache") };
  }

  /** Ends what a failed test left running, and removes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((program) => program.kill()));
    rmSync(this.#root, { recursive: true, force: true });
  }

  #start(program: string, args: readonly string[], cwd: string): StartedProgram {
    const started = StartedProgram.start(program, args, { cwd, env: this.env });
    this.#started.push(started);
    return started;
  }

  async #npm(args: readonly string[], cwd: string): Promise<void> {
    const { code, stdout, stderr } = await runProgram("npm", args, { cwd, env: this.env });
    if (code !== 0) throw new Error(`npm ${args[0]} ended with ${code}\n${stdout}\n${stderr}`);
  }
}
