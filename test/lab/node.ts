/** One node of the lab: a root folder, a service manager, and the executable under test as the daemon. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Status } from '../../src/agent/report/status.ts';
import { bundleStandIn } from './bundle.ts';
import type { NodeFile } from './example-settings.ts';
import { endProcess, type Finished, type Processes, runProgram } from './processes.ts';
import { ask } from './systemd/socket.ts';

export interface LabNodeOptions {
  readonly name: string;
  readonly root: string;
  readonly socket: string;
  /** The command under test: a program and its first arguments. */
  readonly executable: readonly [string, ...string[]];
  /** The files of the node before its first boot. */
  readonly files: readonly NodeFile[];
  readonly processes: Processes;
  readonly onLog?: (node: string, line: string) => void;
}

export class LabNode {
  readonly name: string;
  readonly root: string;
  /** Every line of output of the daemon, over all its starts, and the error output of the service manager. */
  readonly log: string[] = [];
  readonly #options: LabNodeOptions;
  #manager: ChildProcess | undefined;
  #daemon: ChildProcess | undefined;
  #wanted = false;

  constructor(options: LabNodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.root = options.root;
  }

  /** Creates the root with its files and programs, and boots the service manager without the daemon. */
  async prepare(): Promise<void> {
    const { socket: LAB_SOCKET, root: LAB_ROOT, files } = this.#options;
    mkdirSync(join(this.root, '.lab/home'), { recursive: true });
    for (const tool of ['systemctl', 'journalctl', 'systemd-notify'] as const) {
      await bundleStandIn(tool, join(this.#binDir, tool), { LAB_SOCKET, LAB_ROOT });
    }
    for (const { path, content, mode } of files) {
      this.write(path, content, mode);
    }
    await this.boot();
  }

  /**
   * Starts the service manager, which starts the enabled units of K3s; rejects if the manager exits before its first
   * output.
   */
  async boot(): Promise<void> {
    const { socket, processes } = this.#options;
    const script = join(import.meta.dirname, 'systemd.ts');
    const manager = processes.start(
      process.execPath,
      [script, this.root, this.#binDir, socket],
      this.#environment,
    );
    this.#manager = manager;
    manager.stderr?.on('data', (text) => this.#take(`service manager: ${String(text).trim()}`));
    await Promise.race([once(manager.stdout ?? manager, 'data'), once(manager, 'exit')]);
    if (manager.exitCode !== null) {
      throw new Error(`The service manager of ${this.name} ended.`);
    }
  }

  /** The process ID of the daemon; `undefined` if the daemon does not run. */
  get pid(): number | undefined {
    return this.#daemon?.exitCode === null && this.#daemon.signalCode === null ? this.#daemon.pid : undefined;
  }

  /**
   * Starts `slipway run`, and restarts it after each unexpected exit, as its unit does. When the service manager ends,
   * it kills the daemon.
   */
  start(): void {
    this.#wanted = true;
    const [file, ...args] = this.#options.executable;
    const daemon = this.#options.processes.start(
      file,
      [...args, 'run', '--root', this.root],
      this.#environment,
    );
    this.#daemon = daemon;
    daemon.once('exit', () => setTimeout(() => this.#wanted && this.#daemon === daemon && this.start(), 100));
    const { pid } = daemon;
    if (pid !== undefined) {
      void ask(this.#options.socket, { op: 'adopt', pid }).catch(() => undefined);
    }
    for (const stream of [daemon.stdout, daemon.stderr]) {
      if (stream) {
        createInterface({ input: stream }).on('line', (line) => this.#take(line));
      }
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#daemon?.kill(signal);
  }

  /** Ends the daemon with this signal, and does not restart it; K3s keeps running. */
  async stopDaemon(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#wanted = false;
    if (this.#daemon) {
      await endProcess(this.#daemon, signal);
    }
  }

  /** Kills the daemon, ends the service manager with its services, and deletes /run, as a power cut does. */
  async powerOff(): Promise<void> {
    await this.stopDaemon('SIGKILL');
    if (this.#manager) {
      await endProcess(this.#manager);
    }
    rmSync(join(this.root, 'run'), { recursive: true, force: true });
  }

  /** Powers the node off, and boots it with an empty disk and the files that it had before its first boot. */
  async recreate(): Promise<void> {
    await this.powerOff();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    await this.prepare();
    this.start();
  }

  async stop(): Promise<void> {
    await this.stopDaemon();
    if (this.#manager) {
      await endProcess(this.#manager);
    }
  }

  /** Runs a command of the executable under test on this node. */
  slipway(...args: readonly string[]): Promise<Finished> {
    const [file, ...first] = this.#options.executable;
    return runProgram(file, [...first, ...args, '--root', this.root], this.#environment);
  }

  /**
   * Runs a program from the node's /usr/local/bin or, if the program is missing there, the stand-in for a system
   * program.
   */
  run(program: string, ...args: readonly string[]): Promise<Finished> {
    const own = join(this.root, 'usr/local/bin', program);
    return runProgram(existsSync(own) ? own : join(this.#binDir, program), args, this.#environment);
  }

  /** Returns the last status of the running daemon; `undefined` if no daemon runs, or before its first pass. */
  status(): Status | undefined {
    const path = join(this.root, 'run/slipway/status.json');
    if (!existsSync(path)) {
      return undefined;
    }
    const status: Status = JSON.parse(readFileSync(path, 'utf8'));
    return status.pid === this.pid ? status : undefined;
  }

  /** True if the last pass had nothing to change and the node is Ready. */
  get isReady(): boolean {
    const [ready] = this.status()?.conditions ?? [];
    return ready?.status === 'True' && ready.reason === 'InSync';
  }

  /** Returns the time at which a file was written, in epoch milliseconds; `undefined` if the file does not exist. */
  modifiedAt(path: string): number | undefined {
    return statSync(join(this.root, path), { throwIfNoEntry: false })?.mtimeMs;
  }

  /** Returns the permission bits of a file; `undefined` if the file does not exist. */
  modeOf(path: string): number | undefined {
    const found = statSync(join(this.root, path), { throwIfNoEntry: false });
    return found && found.mode & 0o777;
  }

  /** The time at which the status of the last pass was written, in epoch milliseconds; 0 without a status. */
  get lookedAt(): number {
    return Date.parse(this.status()?.updated ?? '1970-01-01');
  }

  /** Resolves to the named properties of a unit, as the node's service manager reports them. */
  async show(unit: string, ...names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const { stdout } = await this.run('systemctl', 'show', unit, '-p', names.join(','));
    return Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  }

  read(path: string): string | undefined {
    const file = join(this.root, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  /** Writes a file, or replaces it with its mode kept. A program of the node never reads half of it. */
  write(path: string, content: string, mode = 0o644): void {
    const file = join(this.root, path);
    const draft = join(this.root, '.lab/draft');
    for (const each of [file, draft]) {
      mkdirSync(dirname(each), { recursive: true });
    }
    writeFileSync(draft, content, { mode: existsSync(file) ? statSync(file).mode : mode });
    renameSync(draft, file);
  }

  get #binDir(): string {
    return join(this.root, '.lab/bin');
  }

  get #environment(): Record<string, string> {
    return {
      PATH: `${this.#binDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: join(this.root, '.lab/home'),
      LANG: 'C.UTF-8',
    };
  }

  #take(line: string): void {
    this.log.push(line);
    appendFileSync(join(this.root, '.lab/slipway.log'), `${line}\n`);
    this.#options.onLog?.(this.name, line);
  }
}
