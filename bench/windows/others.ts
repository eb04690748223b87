import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SshServer } from "../../test/support/windows-simulator/ssh-server.ts";
import { TRUE } from "./machine.ts";

const ANSIBLE = "/usr/bin/ansible-playbook";
const TASKS = 20;

/** What else runs a command on that server, each as quick as its manual says how. */
export class Others implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "windlass-bench-"));
  readonly #ssh: SshServer;
  readonly #options: readonly string[];

  constructor(ssh: SshServer) {
    this.#ssh = ssh;
    this.#options = [
      "-F",
      "none",
      "-i",
      ssh.identityFile,
      "-o",
      `UserKnownHostsFile=${ssh.knownHosts}`,
      "-o",
      "BatchMode=yes",
    ];
    const inventory = `bench ansible_host=127.0.0.1 ansible_port=${ssh.port} ansible_user=${ssh.user} ansible_ssh_private_key_file=${ssh.identityFile} ansible_python_interpreter=/usr/bin/python3 ansible_ssh_common_args='-o UserKnownHostsFile=${ssh.knownHosts}'\n`;
    writeFileSync(join(this.#folder, "inventory"), inventory);
    // Pipelining and a connection that stays are what its manual advises for speed.
    writeFileSync(
      join(this.#folder, "ansible.cfg"),
      `[defaults]\nstdout_callback = minimal\n[ssh_connection]\npipelining = True\ncontrol_path_dir = ${this.#folder}/cp\nssh_args = -C -o ControlMaster=auto -o ControlPersist=60s\n`,
    );
    for (const module of ["raw", "command"]) for (const tasks of [1, TASKS]) this.#writePlaybook(module, tasks);
  }

  static get hasAnsible(): boolean {
    return existsSync(ANSIBLE);
  }

  /** Starts the connection that {@link multiplexed} uses. */
  async openMaster(): Promise<void> {
    await this.#run("ssh", [...this.#options, "-M", "-N", "-f", "-S", this.#socket, ...this.#target]);
  }

  /** The program alone, without any server. */
  local(): Promise<number> {
    return this.#run(TRUE, []);
  }

  plain(): Promise<number> {
    return this.#run("ssh", [...this.#options, ...this.#target, TRUE]);
  }

  multiplexed(): Promise<number> {
    return this.#run("ssh", [...this.#options, "-S", this.#socket, ...this.#target, TRUE]);
  }

  /** One command by a call of `ansible`. */
  ansible(module: "raw" | "command"): Promise<number> {
    return this.#run("/usr/bin/ansible", ["-i", "inventory", "bench", "-m", module, "-a", TRUE]);
  }

  /** One task more in a playbook, without the start of Ansible and its connection. */
  async ansibleTask(module: "raw" | "command"): Promise<number> {
    const one = await this.#run(ANSIBLE, ["-i", "inventory", `${module}-1.yml`]);
    const many = await this.#run(ANSIBLE, ["-i", "inventory", `${module}-${TASKS}.yml`]);
    return (many - one) / (TASKS - 1);
  }

  /** Many over one connection, as many at once as a host gets from the product by default. */
  async manyMultiplexed(count: number, parallel: number): Promise<number> {
    const started = performance.now();
    let left = count;
    const next = async (): Promise<void> => {
      while (left-- > 0) await this.multiplexed();
    };
    await Promise.all(Array.from({ length: parallel }, next));
    return performance.now() - started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run("ssh", [...this.#options, "-S", this.#socket, "-O", "exit", ...this.#target]);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #socket(): string {
    return join(this.#folder, "m");
  }

  get #target(): readonly string[] {
    return ["-p", String(this.#ssh.port), `${this.#ssh.user}@127.0.0.1`];
  }

  #writePlaybook(module: string, count: number): void {
    const task = `    - ${module}: ${TRUE}\n      changed_when: false\n`;
    const text = `- hosts: bench\n  gather_facts: false\n  tasks:\n${task.repeat(count)}`;
    writeFileSync(join(this.#folder, `${module}-${count}.yml`), text);
  }

  async #run(program: string, args: readonly string[]): Promise<number> {
    const options: SpawnOptions = {
      cwd: this.#folder,
      stdio: "ignore",
      env: { PATH: process.env["PATH"], HOME: this.#folder, LC_ALL: "C.UTF-8" },
    };
    const started = performance.now();
    const child = spawn(program, args, options);
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}`);
    return performance.now() - started;
  }
}
