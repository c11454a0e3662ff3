/**
 * A service with its states, processes and restarts.
 *
 * Models systemd's src/core/service.c as far as it is visible in `systemctl show`, the journal and the files:
 * ExecStartPre, readiness by sd_notify(3), auto-restart with its counter, a new invocation ID for each start,
 * KillMode=process, and the removal of RuntimeDirectory when the service stops.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import {
  makeRuntimeDirectories,
  removeRuntimeDirectories,
  type Surroundings,
  serviceEnvironment,
} from './surroundings.ts';
import { splitCommand, timeSpan, type UnitFile } from './unit-file.ts';

export interface ServiceState {
  readonly active: 'inactive' | 'activating' | 'active' | 'deactivating' | 'failed';
  readonly sub: string;
  readonly result: string;
  readonly invocation: string;
  readonly restarts: number;
  readonly mainPid: number;
  readonly exitCode: number;
  readonly exitStatus: number;
  readonly statusText: string;
  readonly since: number;
}

/** The result of a start job; `assert` if a path in AssertPathExists= is missing. */
export type StartResult = 'done' | 'failed' | 'canceled' | 'assert';

export class Service {
  readonly #name: string;
  readonly #around: Surroundings;
  #file: UnitFile;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: ((started: StartResult) => void)[] = [];
  #stopped: (() => void)[] = [];
  #starts: number[] = [];
  #job = 0;
  state: ServiceState = {
    active: 'inactive',
    sub: 'dead',
    result: 'success',
    invocation: '',
    restarts: 0,
    mainPid: 0,
    exitCode: 0,
    exitStatus: 0,
    statusText: '',
    since: 0,
  };

  constructor(name: string, file: UnitFile, around: Surroundings) {
    this.#name = name;
    this.#file = file;
    this.#around = around;
  }

  /** The number of systemd's job while it starts or stops this unit; 0 at any other time. */
  get job(): number {
    return this.#job;
  }

  reload(file: UnitFile): void {
    this.#file = file;
  }

  /** Starts the service; resolves to the result of the start job, at once to `done` if the service already runs. */
  start(): Promise<StartResult> {
    if (this.state.active === 'active') {
      return Promise.resolve('done');
    }
    const over = new Promise<StartResult>((resolve) => this.#waiting.push(resolve));
    if (this.state.active !== 'activating' || this.state.sub === 'auto-restart') {
      this.#enter({ restarts: 0 });
      void this.#begin();
    }
    return over;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#finish('canceled');
    if (this.#child === undefined) {
      if (this.state.active !== 'failed') {
        this.#enter({ active: 'inactive', sub: 'dead' });
      }
      removeRuntimeDirectories(this.#file, this.#around);
      return;
    }
    this.#log(`Stopping ${this.#title()}...`);
    this.#enter({ active: 'deactivating', sub: 'stop-sigterm' });
    const over = new Promise<void>((resolve) => this.#stopped.push(resolve));
    const child = this.#child;
    child.kill('SIGTERM');
    const limit = timeSpan(this.#file.last('Service', 'TimeoutStopSec') ?? '90');
    if (limit > 0) {
      this.#timer = setTimeout(() => child.kill('SIGKILL'), limit);
    }
    await over;
  }

  /** Handles a message of sd_notify(3) from a process of this service. */
  notified(assignments: Readonly<Record<string, string>>): void {
    if (assignments.STATUS !== undefined) {
      this.#enter({ statusText: assignments.STATUS });
    }
    if (assignments.READY === '1' && this.state.sub === 'start') {
      this.#started();
    }
  }

  clearFailure(): void {
    if (this.state.active === 'failed') {
      this.#enter({ active: 'inactive', sub: 'dead', result: 'success' });
    }
  }

  killNow(): void {
    clearTimeout(this.#timer);
    this.#child?.removeAllListeners('exit');
    this.#child?.kill('SIGKILL');
  }

  async #begin(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#file.all('Unit', 'AssertPathExists').every((path) => existsSync(path))) {
      this.#refuse();
      return;
    }
    if (this.#tooOften()) {
      return this.#fail('start-limit-hit', 'Start request repeated too quickly.');
    }
    const invocation = randomBytes(16).toString('hex');
    makeRuntimeDirectories(this.#file, this.#around);
    this.#enter({ active: 'activating', sub: 'start-pre', result: 'success', invocation, statusText: '' });
    this.#log(`Starting ${this.#title()}...`);
    const environment = serviceEnvironment(this.#file, this.#around, invocation);
    for (const line of this.#file.all('Service', 'ExecStartPre')) {
      const status = await this.#prepare(line, environment);
      if (this.state.invocation !== invocation || this.state.active !== 'activating') {
        return;
      }
      if (status !== 0 && !line.startsWith('-')) {
        this.#log(`Control process exited, code=exited, status=${status}/${exitName(status)}`);
        return this.#over('exit-code', 1, status);
      }
    }
    this.#spawnMain(environment, invocation);
  }

  #spawnMain(environment: Record<string, string>, invocation: string): void {
    const [file = '', ...args] = splitCommand(this.#file.last('Service', 'ExecStart') ?? '', environment);
    const child = spawn(file, args, {
      cwd: '/',
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    const type = this.#file.last('Service', 'Type') ?? 'simple';
    this.#enter({ sub: 'start', mainPid: child.pid ?? 0 });
    this.#capture(child, file, invocation);
    child.once('error', (error) => {
      this.#log(
        `Failed to locate executable ${file}: ${error.message.includes('EACCES') ? 'Permission denied' : 'No such file or directory'}`,
        3,
      );
      this.#exited(203, null);
    });
    child.once('exit', (code, signal) => this.#exited(code, signal));
    const limit = timeSpan(this.#file.last('Service', 'TimeoutStartSec') ?? '90');
    if (type === 'simple' || type === 'exec') {
      this.#started();
    } else if (limit > 0) {
      this.#timer = setTimeout(() => {
        this.#log('start operation timed out. Terminating.', 4);
        child.kill('SIGTERM');
      }, limit);
    }
  }

  #started(): void {
    clearTimeout(this.#timer);
    this.#enter({ active: 'active', sub: 'running' });
    this.#log(`Started ${this.#title()}.`);
    this.#finish('done');
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#child === undefined) {
      return;
    }
    this.#child = undefined;
    clearTimeout(this.#timer);
    const oneshot = this.#file.last('Service', 'Type') === 'oneshot';
    const clean =
      code === 0 || (signal !== null && ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'].includes(signal));
    const how =
      signal === null
        ? `code=exited, status=${code}/${exitName(code ?? 0)}`
        : `code=killed, status=${signalNumber(signal)}/${signal.slice(3)}`;
    if (!clean || signal !== null) {
      this.#log(`Main process exited, ${how}`, clean ? 6 : 5);
    }
    const status = code ?? signalNumber(signal);
    if (this.state.active === 'deactivating') {
      this.#settle('success', signal === null ? 1 : 2, status);
      this.#log(`Deactivated successfully.`);
      this.#log(`Stopped ${this.#title()}.`);
      return;
    }
    if (oneshot && clean) {
      this.#settle('success', 1, status);
      this.#log(`Finished ${this.#title()}.`);
      this.#finish('done');
      return;
    }
    const early = this.state.sub === 'start';
    this.#over(
      clean ? (early ? 'protocol' : 'success') : signal === null ? 'exit-code' : 'signal',
      signal === null ? 1 : 2,
      status,
    );
  }

  /** Handles an unrequested exit or a failed ExecStartPre, and restarts the service according to `Restart=`. */
  #over(result: string, code: number, status: number): void {
    const restart = this.#file.last('Service', 'Restart') ?? 'no';
    if (result !== 'success') {
      this.#log(`Failed with result '${result}'.`, 4);
    }
    if (result !== 'success' && this.state.sub !== 'running') {
      this.#log(`Failed to start ${this.#title()}.`, 3);
    }
    this.#settle(result, code, status);
    this.#finish('failed');
    if (restart !== 'always' && (restart !== 'on-failure' || result === 'success')) {
      return;
    }
    this.#enter({ active: 'activating', sub: 'auto-restart' });
    this.#timer = setTimeout(
      () => {
        this.#enter({ restarts: this.state.restarts + 1 });
        this.#log(`Scheduled restart job, restart counter is at ${this.state.restarts}.`);
        void this.#begin();
      },
      timeSpan(this.#file.last('Service', 'RestartSec') ?? '100ms'),
    );
  }

  /** Refuses a start, which changes neither the result nor the invocation of the unit (src/core/unit.c, unit_start). */
  #refuse(): void {
    this.#log('Starting requested but asserts failed.', 5);
    this.#log(`Assertion failed for ${this.#title()}.`, 3);
    this.#enter({ active: 'inactive', sub: 'dead' });
    this.#finish('assert');
  }

  #settle(result: string, exitCode: number, exitStatus: number): void {
    removeRuntimeDirectories(this.#file, this.#around);
    const sub = result === 'success' ? 'dead' : 'failed';
    const active = result === 'success' ? 'inactive' : 'failed';
    this.#enter({ active, sub, result, mainPid: 0, exitCode, exitStatus });
    for (const resolve of this.#stopped.splice(0)) {
      resolve();
    }
  }

  #fail(result: string, message: string): void {
    this.#log(message, 4);
    this.#log(`Failed with result '${result}'.`, 4);
    this.#settle(result, this.state.exitCode, this.state.exitStatus);
    this.#finish('failed');
  }

  #finish(how: StartResult): void {
    for (const resolve of this.#waiting.splice(0)) {
      resolve(how);
    }
  }

  async #prepare(line: string, environment: Record<string, string>): Promise<number> {
    const [file = '', ...args] = splitCommand(line.replace(/^-/, ''), environment);
    if (machineWide.includes(basename(file))) {
      this.#log(`The lab leaves the machine alone: ${basename(file)} ${args.join(' ')} was not run.`, 7);
      return 0;
    }
    return await new Promise((resolve) => {
      const child = spawn(file, args, { cwd: '/', env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
      this.#capture(child, file, environment.INVOCATION_ID ?? '');
      child.once('error', () => resolve(203));
      child.once('exit', (code) => resolve(code ?? 1));
    });
  }

  #capture(child: ChildProcess, file: string, invocation: string): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) {
        continue;
      }
      createInterface({ input: stream }).on('line', (line) => {
        this.#around.journal.output(this.#name, invocation, child.pid ?? 0, basename(file), line);
      });
    }
  }

  #tooOften(): boolean {
    const interval = timeSpan(this.#file.last('Unit', 'StartLimitIntervalSec') ?? '10');
    const burst = Number(this.#file.last('Unit', 'StartLimitBurst') ?? 5);
    this.#starts = this.#starts.filter((time) => time > Date.now() - interval);
    if (interval > 0 && this.#starts.length >= burst) {
      return true;
    }
    this.#starts.push(Date.now());
    return false;
  }

  #title(): string {
    const description = this.#file.last('Unit', 'Description');
    return description === undefined ? this.#name : `${this.#name} - ${description}`;
  }

  #log(message: string, priority = 6): void {
    const own = /^(Starting|Started|Stopping|Stopped|Finished|Failed to start)/.test(message);
    this.#around.journal.manager(
      this.#name,
      this.state.invocation,
      own ? message : `${this.#name}: ${message}`,
      priority,
    );
  }

  #enter(change: Partial<ServiceState>): void {
    this.state = { ...this.state, ...change, since: Date.now() };
    const { active, sub } = this.state;
    const busy = (active === 'activating' && sub !== 'auto-restart') || active === 'deactivating';
    if (!busy) {
      this.#job = 0;
    } else if (this.#job === 0) {
      this.#job = nextJob();
    }
  }
}

function nextJob(): number {
  jobs += 1;
  return jobs;
}

let jobs = 100;

/** Programs that would change the machine on which the lab runs. */
const machineWide = ['modprobe', 'sysctl'];

function exitName(status: number): string {
  return { 0: 'SUCCESS', 1: 'FAILURE', 2: 'INVALIDARGUMENT', 203: 'EXEC' }[status] ?? 'n/a';
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGTERM: 15 }[String(signal)] ?? 0;
}
