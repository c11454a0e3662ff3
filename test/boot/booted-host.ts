/** One host: a root file system with its own layer, a network card, and systemd as PID 1, in systemd-nspawn. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishedCondition as Condition, Status } from '../../src/agent/report/status.ts';
import { type Finished, runProgram } from '../lab/processes.ts';
import { hostCgroups } from './cgroups.ts';
import { type JournalEntry, journalOf } from './journal.ts';

export interface BootedHostOptions<Name extends string = string> {
  readonly name: Name;
  readonly address: string;
  /** The mount point of the host's disk, a tmpfs with the host's layer. */
  readonly dir: string;
  /** The read-only root file system below the layer. */
  readonly image: string;
  /** The file of the host's network namespace. */
  readonly namespace: string;
  /** The size of the disk in bytes; by default 1 GiB. */
  readonly diskSize?: number;
}

export class BootedHost<Name extends string = string> {
  readonly name: Name;
  readonly address: string;
  /** The folder of the host's root file system, which stays mounted while the host is off. */
  readonly root: string;
  /** The time of the last power-on or reboot, in epoch milliseconds; 0 before the first power-on. */
  poweredOnAt = 0;
  readonly #options: BootedHostOptions<Name>;
  #nspawn: ChildProcess | undefined;
  #init: number | undefined;

  constructor(options: BootedHostOptions<Name>) {
    this.#options = options;
    this.name = options.name;
    this.address = options.address;
    this.root = join(options.dir, 'root');
    this.#makeDisk();
  }

  #makeDisk(): void {
    const { dir, image } = this.#options;
    mkdirSync(dir, { recursive: true });
    mount('-t', 'tmpfs', '-o', `size=${this.#diskSize}`, 'tmpfs', dir);
    const [upper, work] = [join(dir, 'layer'), join(dir, 'work')];
    for (const folder of [this.root, upper, work]) {
      mkdirSync(folder);
    }
    mount('-t', 'overlay', '-o', `lowerdir=${image},upperdir=${upper},workdir=${work}`, 'overlay', this.root);
  }

  /** Replaces the disk with a new one from the image, as when a VM is recreated; throws if the host is on. */
  renewDisk(): void {
    if (this.#init) {
      throw new Error(`${this.name} is on.`);
    }
    for (const place of [this.root, this.#options.dir]) {
      execFileSync('umount', ['--lazy', place]);
    }
    this.#makeDisk();
  }

  /** Resizes the disk so that `bytes` are free; without `bytes`, restores its original size. */
  leaveRoom(bytes?: number): void {
    const { dir } = this.#options;
    const { blocks, bfree, bsize } = statfsSync(dir);
    mount(
      '-o',
      `remount,size=${bytes === undefined ? this.#diskSize : (blocks - bfree) * bsize + bytes}`,
      dir,
    );
  }

  get #diskSize(): number {
    return this.#options.diskSize ?? 2 ** 30;
  }

  get isOn(): boolean {
    return this.#nspawn !== undefined;
  }

  /**
   * Powers the host on, now and after each reboot; resolves when systemd accepts requests. Rejects if the host is on,
   * or does not boot within 30 s.
   */
  async powerOn(): Promise<void> {
    if (this.#nspawn) {
      throw new Error(`${this.name} is on already.`);
    }
    // The namespace keeps the nftables rules of the last boot; a real kernel would lose them.
    execFileSync('nsenter', [`--net=${this.#options.namespace}`, 'nft', 'flush', 'ruleset']);
    this.poweredOnAt = Date.now();
    const console = openSync(join(this.#options.dir, 'console'), 'a');
    const cgroups = hostCgroups(basename(dirname(this.#options.dir)), this.name);
    const nspawn = spawn(
      'sh',
      ['-c', inCgroups, 'sh', String(cgroups.length), ...cgroups, ...this.#command()],
      { stdio: ['ignore', console, console], env: { ...process.env, ...nspawnEnvironment } },
    );
    this.#nspawn = nspawn;
    nspawn.once('exit', (code) => {
      if (this.#nspawn !== nspawn) {
        return;
      }
      this.#nspawn = undefined;
      this.#init = undefined;
      if (code === rebootAsked) {
        void this.powerOn();
      }
    });
    this.#init = await childOf(nspawn);
    await this.#booted();
  }

  #command(): readonly string[] {
    return [
      ...['nsenter', `--net=${this.#options.namespace}`, 'systemd-nspawn', '-q', '-D', this.root],
      ...['-M', this.name, '--register=no', '--keep-unit', '--console=pipe', '--link-journal=no'],
      ...['--resolv-conf=off', '--timezone=off', '--capability=CAP_NET_ADMIN'],
      ...[`--bind-ro=${process.execPath}:${standInNode}`, '--boot'],
    ];
  }

  /** Waits until systemd accepts requests, since programs that run earlier fail; rejects after 30 s or a power-off. */
  async #booted(): Promise<void> {
    for (const end = Date.now() + 30_000; ; await sleep(50)) {
      if (!this.#init) {
        throw new Error(`${this.name} did not boot: ${this.console.slice(-500)}`);
      }
      if (existsSync(`/proc/${this.#init}/root/run/systemd/private`)) {
        return;
      }
      if (Date.now() > end) {
        throw new Error(`${this.name} does not boot: ${this.console.slice(-500)}`);
      }
    }
  }

  /** Shuts the host down cleanly; does nothing if it is off. */
  async powerOff(): Promise<void> {
    await this.#end(sigRtMin4);
  }

  /** Cuts the power: the host cannot shut down, and loses its memory. Does nothing if the host is off. */
  async crash(): Promise<void> {
    await this.#end(9);
  }

  async #end(signal: number): Promise<void> {
    const [nspawn, init] = [this.#nspawn, this.#init];
    if (!nspawn || !init) {
      return;
    }
    const exited = once(nspawn, 'exit');
    // Node has no names for real-time signals, but process.kill accepts their numbers.
    process.kill(init, signal);
    await exited;
  }

  /** Reboots the host cleanly; resolves when systemd accepts requests again. */
  async reboot(): Promise<void> {
    const before = this.#init;
    await this.run('systemctl', '--no-block', 'reboot');
    await eventually(`${this.name} to reboot`, () => this.#init !== undefined && this.#init !== before);
    await this.#booted();
  }

  /** The beginning of a command line that runs a program in the host; throws if the host is off. */
  get within(): readonly [string, ...string[]] {
    if (!this.#init) {
      throw new Error(`${this.name} is off.`);
    }
    return ['nsenter', '-t', String(this.#init), '-a', '--wd=/'];
  }

  /** Runs a program in the host; resolves to its exit code and output when it has exited. */
  run(program: string, ...args: readonly string[]): Promise<Finished> {
    const [file, ...first] = this.within;
    return runProgram(file, [...first, program, ...args], environment);
  }

  /** Runs a program in the host; resolves to its trimmed output, or rejects if it fails. */
  async ask(program: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(program, ...args);
    if (exitCode !== 0) {
      throw new Error(`${program} ${args.join(' ')} on ${this.name}: ${stderr || stdout}`);
    }
    return stdout.trim();
  }

  /** Resolves to the named properties of a unit, as systemd shows them. */
  async show(unit: string, ...names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const text = await this.ask('systemctl', 'show', unit, '-p', names.join(','));
    return Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  }

  /** Resolves to the invocation ID of the current start of K3s. */
  async k3sStart(): Promise<string> {
    const { InvocationID = '' } = await this.show(this.k3sUnit, 'InvocationID');
    return InvocationID;
  }

  get k3sUnit(): string {
    return this.has('/etc/systemd/system/k3s.service') ? 'k3s.service' : 'k3s-agent.service';
  }

  /** The text on the host's console. */
  get console(): string {
    return readFileSync(join(this.#options.dir, 'console'), 'utf8');
  }

  /** Resolves to the journal entries of all boots of the host, oldest first, even after a crash. */
  journal(...matches: readonly string[]): Promise<readonly JournalEntry[]> {
    return journalOf(join(this.root, 'var/log/journal'), matches);
  }

  /**
   * Returns the path by which this process reaches a path of the host. While the host is on, this includes its files in
   * memory, such as those in /run.
   */
  path(path: string): string {
    return join(this.#init ? `/proc/${this.#init}/root` : this.root, path);
  }

  /** True if the path exists, even if it is a link without a target. */
  has(path: string): boolean {
    return lstatSync(this.path(path), { throwIfNoEntry: false }) !== undefined;
  }

  read(path: string): string | undefined {
    return this.has(path) ? readFileSync(this.path(path), 'utf8') : undefined;
  }

  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content, { mode });
  }

  remove(path: string): void {
    rmSync(this.path(path), { recursive: true, force: true });
  }

  append(path: string, content: string): void {
    appendFileSync(this.path(path), content);
  }

  /** Returns the last status that the daemon wrote; `undefined` before its first pass since the boot. */
  status(): Status | undefined {
    const text = this.read('/run/slipway/status.json');
    return text === undefined ? undefined : JSON.parse(text);
  }

  condition(type: string): Condition | undefined {
    return this.status()?.conditions.find((condition) => condition.type === type);
  }

  /** True if the last pass ended after `since` (epoch milliseconds), changed nothing, and found the node Ready. */
  isReady(since = this.poweredOnAt): boolean {
    const { conditions: [ready] = [], updated = '' } = this.status() ?? {};
    return ready?.status === 'True' && ready.reason === 'InSync' && Date.parse(updated) > since;
  }

  /** Makes the daemon check at once and retry failures. */
  async reload(): Promise<void> {
    await this.ask('systemctl', 'reload', 'slipway');
  }
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The Node that the stand-ins of K3s and Flux use, at a path that no sandbox or tmpfs hides. */
export const standInNode = '/opt/stand-in-node';

/** The exit code of nspawn when the host requests a reboot. */
const rebootAsked = 133;
/** SIGRTMIN+4, the signal that makes systemd power off the machine (systemd(1)). */
const sigRtMin4 = 38;

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
};

/** Variables that make nspawn give each host its own network sysctls, and cgroups as on a VM. */
const nspawnEnvironment = {
  SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network',
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
};

/**
 * A shell script that enters cgroups, then executes a command. Its arguments: the number of cgroups, their folders, the
 * command.
 */
const inCgroups =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs"; shift; n=$((n-1)); done; exec "$@"';

async function childOf(parent: ChildProcess): Promise<number> {
  const path = `/proc/${parent.pid}/task/${parent.pid}/children`;
  for (const end = Date.now() + 15_000; Date.now() < end; await sleep(20)) {
    const [child] = ofProcess(path).trim().split(' ');
    if (child && ofProcess(`/proc/${child}/comm`) === 'systemd\n') {
      return Number(child);
    }
  }
  throw new Error('systemd-nspawn starts no init.');
}

/** Returns the text of a file in /proc; an empty string if its process has ended, as nspawn's first child soon does. */
function ofProcess(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Resolves when `happened` returns true; rejects after `timeout` milliseconds with an error that names `what`. */
export async function eventually(
  what: string,
  happened: () => boolean | Promise<boolean>,
  timeout = 180_000,
): Promise<void> {
  for (const end = Date.now() + timeout; !(await happened()); await sleep(100)) {
    if (Date.now() > end) {
      throw new Error(`Waited ${timeout / 1000} s for ${what}.`);
    }
  }
}

/** Waits until an agent has pinned the CA of its server. The pin is the last write of a first boot. */
export async function pinsItsCa(agent: BootedHost): Promise<void> {
  const token = () => agent.read('/var/lib/slipway/join-token');
  await eventually('the agent to pin the CA it has joined', () => token()?.startsWith('K10') ?? false);
}
