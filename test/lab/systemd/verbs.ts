/** The units of one root, and the `systemctl` verbs that act on these units. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  failed,
  foreign,
  fullName,
  isActive,
  notFound,
  ok,
  shown,
  systemUnits,
  timestamp,
} from './answers.ts';
import { Service, type StartResult } from './service.ts';
import type { Options, Reply } from './socket.ts';
import type { Surroundings } from './surroundings.ts';
import { parseUnitFile, type UnitFile } from './unit-file.ts';

interface Loaded {
  readonly service: Service;
  readonly path: string;
  file: UnitFile;
  modified: number;
}

export class Manager {
  readonly #around: Surroundings;
  readonly #units = new Map<string, Loaded>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Starts the units of K3s that multi-user.target wants, as a boot does. */
  boot(): void {
    for (const name of ['k3s.service', 'k3s-agent.service']) {
      if (existsSync(this.#wants(name, 'multi-user.target'))) {
        void this.#load(name)?.service.start();
      }
    }
  }

  async systemctl(verb: string, units: readonly string[], options: Options): Promise<Reply> {
    const reply = await this.#perform(verb, units.map(fullName), options);
    this.#collect();
    return reply;
  }

  /**
   * Delivers a message from the process `pid` to the service whose main process is `pid` or an ancestor of `pid`. Drops
   * the message if no service has such a process.
   */
  notified(pid: number, assignments: Readonly<Record<string, string>>): void {
    const senders = ancestors(pid);
    const sender = [...this.#units.values()].find(({ service }) => senders.includes(service.state.mainPid));
    sender?.service.notified(assignments);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#units.values()].map(({ service }) => service.stop()));
  }

  killAll(): void {
    for (const { service } of this.#units.values()) {
      service.killNow();
    }
  }

  async #perform(verb: string, units: readonly string[], options: Options): Promise<Reply> {
    if (verb === 'daemon-reload') {
      return this.#daemonReload();
    }
    if (verb === 'show' && units.length === 0) {
      return ok(shown({ Version: '252 (slipway lab)' }, options));
    }
    if (verb === 'is-system-running') {
      return ok('running\n');
    }
    if (verb === 'reset-failed' && units.length === 0) {
      for (const { service } of this.#units.values()) {
        service.clearFailure();
      }
      return ok();
    }
    if (units.length === 0) {
      return failed('Too few arguments.\n');
    }
    const replies: Reply[] = [];
    for (const unit of units) {
      replies.push(await this.#one(verb, unit, options));
    }
    return {
      exitCode: replies.find((reply) => reply.exitCode !== 0)?.exitCode ?? 0,
      stdout: replies.map((reply) => reply.stdout).join(verb === 'show' ? '\n' : ''),
      stderr: replies.map((reply) => reply.stderr).join(''),
    };
  }

  async #one(verb: string, unit: string, options: Options): Promise<Reply> {
    const ofTheSystem = systemUnits.includes(unit);
    const loaded = ofTheSystem ? undefined : this.#load(unit);
    if (verb === 'show') {
      return ok(shown(loaded === undefined ? foreign(unit) : this.#properties(unit, loaded), options));
    }
    if (verb === 'is-active' || verb === 'is-failed') {
      return isActive(verb, loaded?.service, ofTheSystem, options);
    }
    if (verb === 'is-enabled') {
      return this.#isEnabled(unit, loaded, ofTheSystem, options);
    }
    if (ofTheSystem) {
      this.#around.journal.manager(unit, '', `${verb} ${unit}: done.`);
      return ok();
    }
    if (loaded === undefined) {
      return notFound(verb, unit);
    }
    if (verb === 'enable' || verb === 'disable') {
      return await this.#enable(verb, unit, loaded, options);
    }
    if (verb === 'reset-failed') {
      loaded.service.clearFailure();
      return ok();
    }
    return await this.#job(verb, unit, loaded, options);
  }

  async #job(verb: string, unit: string, loaded: Loaded, options: Options): Promise<Reply> {
    const warning = this.#stale(loaded)
      ? `Warning: The unit file, source configuration file or drop-ins of ${unit} changed on disk. Run 'systemctl daemon-reload' to reload units.\n`
      : '';
    const over = this.#runJob(verb, loaded.service);
    if (options.noBlock) {
      return { ...ok(), stderr: warning };
    }
    const result = await over;
    if (result === 'done') {
      return { ...ok(), stderr: warning };
    }
    if (result === 'assert') {
      return failed(`${warning}Assertion failed on job for ${unit}.\n`);
    }
    const why =
      result === 'canceled'
        ? `Job for ${unit} canceled.\n`
        : `Job for ${unit} failed because the control process exited with error code.\nSee "systemctl status ${unit}" and "journalctl -xeu ${unit}" for details.\n`;
    return failed(warning + why);
  }

  async #runJob(verb: string, service: Service): Promise<StartResult> {
    const restarts = ['restart', 'try-restart'].includes(verb);
    if (verb === 'try-restart' && service.state.active === 'inactive') {
      return 'done';
    }
    if (verb === 'stop' || restarts) {
      await service.stop();
    }
    return verb === 'stop' ? 'done' : await service.start();
  }

  async #enable(verb: string, unit: string, loaded: Loaded, options: Options): Promise<Reply> {
    let messages = '';
    for (const target of loaded.file.all('Install', 'WantedBy').flatMap((line) => line.split(/\s+/))) {
      const link = this.#wants(unit, target);
      if (verb === 'enable' && !existsSync(link)) {
        mkdirSync(dirname(link), { recursive: true });
        rmSync(link, { force: true });
        symlinkSync(loaded.path, link);
        messages += `Created symlink ${link} → ${loaded.path}.\n`;
      } else if (verb === 'disable' && existsSync(link)) {
        rmSync(link);
        messages += `Removed "${link}".\n`;
      }
    }
    this.#daemonReload();
    if (options.now) {
      const job = await this.#job(verb === 'enable' ? 'start' : 'stop', unit, loaded, options);
      return { ...job, stderr: messages + job.stderr };
    }
    return { ...ok(), stderr: options.quiet ? '' : messages };
  }

  #isEnabled(unit: string, loaded: Loaded | undefined, ofTheSystem: boolean, options: Options): Reply {
    if (ofTheSystem) {
      return ok(options.quiet ? '' : 'static\n');
    }
    if (loaded === undefined) {
      return failed(`Failed to get unit file state for ${unit}: No such file or directory\n`);
    }
    const state = this.#unitFileState(unit, loaded);
    return { exitCode: state === 'enabled' ? 0 : 1, stdout: options.quiet ? '' : `${state}\n`, stderr: '' };
  }

  #unitFileState(unit: string, loaded: Loaded): string {
    const targets = loaded.file.all('Install', 'WantedBy');
    if (targets.length === 0) {
      return 'static';
    }
    return existsSync(this.#wants(unit, targets[0] ?? '')) ? 'enabled' : 'disabled';
  }

  #daemonReload(): Reply {
    for (const [name, loaded] of this.#units) {
      const fresh = this.#read(name);
      if (fresh === undefined) {
        continue;
      }
      Object.assign(loaded, fresh);
      loaded.service.reload(fresh.file);
    }
    return ok();
  }

  #load(name: string): Loaded | undefined {
    const known = this.#units.get(name);
    if (known !== undefined) {
      return known;
    }
    const fresh = this.#read(name);
    if (fresh === undefined) {
      return undefined;
    }
    const loaded = { ...fresh, service: new Service(name, fresh.file, this.#around) };
    this.#units.set(name, loaded);
    return loaded;
  }

  #read(name: string) {
    const path = join(this.#around.root, 'etc/systemd/system', name);
    if (!existsSync(path)) {
      return undefined;
    }
    const file = parseUnitFile(path, readFileSync(path, 'utf8'));
    for (const warning of file.warnings) {
      this.#around.journal.manager(name, '', warning, 4);
    }
    return { path, file, modified: statSync(path).mtimeMs };
  }

  /** Forgets inactive units that no target wants, as systemd does, so that the next request reads their files again. */
  #collect(): void {
    for (const [name, { service, file }] of this.#units) {
      const wanted = file.all('Install', 'WantedBy').some((target) => existsSync(this.#wants(name, target)));
      if (service.state.active === 'inactive' && !wanted) {
        this.#units.delete(name);
      }
    }
  }

  #stale({ path, modified }: Loaded): boolean {
    return !existsSync(path) || statSync(path).mtimeMs !== modified;
  }

  #wants(unit: string, target: string): string {
    return join(this.#around.root, 'etc/systemd/system', `${target}.wants`, basename(unit));
  }

  #properties(unit: string, loaded: Loaded): Record<string, string> {
    const { state } = loaded.service;
    return {
      Type: loaded.file.last('Service', 'Type') ?? 'simple',
      Restart: loaded.file.last('Service', 'Restart') ?? 'no',
      MainPID: String(state.mainPid),
      StatusText: state.statusText,
      Result: state.result,
      NRestarts: String(state.restarts),
      ExecMainPID: String(state.mainPid),
      ExecMainCode: String(state.exitCode),
      ExecMainStatus: String(state.exitStatus),
      Id: unit,
      Names: unit,
      Description: loaded.file.last('Unit', 'Description') ?? unit,
      LoadState: 'loaded',
      ActiveState: state.active,
      SubState: state.sub,
      FragmentPath: loaded.path,
      UnitFileState: this.#unitFileState(unit, loaded),
      StateChangeTimestamp: timestamp(state.since),
      NeedDaemonReload: this.#stale(loaded) ? 'yes' : 'no',
      Job: loaded.service.job === 0 ? '' : String(loaded.service.job),
      InvocationID: state.invocation,
    };
  }
}

function ancestors(pid: number): number[] {
  const found: number[] = [];
  for (let each = pid; each > 1 && !found.includes(each); ) {
    found.push(each);
    const stat = readFileSync(`/proc/${each}/stat`, 'utf8');
    each = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  }
  return found;
}
