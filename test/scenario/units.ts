import type { CommandResult } from '../../src/agent/engine/host.ts';
import type { MemoryHost } from '../lab/memory-host.ts';
import { Netfilter } from './netfilter.ts';

const directory = '/etc/systemd/system';
/** The time from the start of K3s to READY=1, in milliseconds. */
const startTime = 4_000;
const restartTime = 5_000;

interface Unit {
  state: 'inactive' | 'activating' | 'active' | 'failed';
  subState: 'dead' | 'start' | 'running' | 'exited' | 'auto-restart';
  invocation: string;
  restarts: number;
  loaded: string | undefined;
  log: string[];
}

const loaders = ['slipway-imds-guard.service', 'slipway-nat.service'] as const;

/**
 * Simulates systemd for the units of K3s, and for the units that load an nft table of Slipway and exit. Like systemd,
 * it runs units as loaded, not as on disk, and restarts a failed K3s.
 */
export class Units {
  readonly #host: MemoryHost;
  readonly #start: (unit: string) => Promise<string | undefined>;
  readonly #units = new Map<string, Unit>();
  /** The table that guards the metadata service. */
  readonly netfilter = new Netfilter('inet slipway_imds');
  readonly nat = new Netfilter('ip slipway_nat');
  /** The error with which every start of K3s fails, if set. */
  failing: string | undefined;
  /** The number of commands to reboot; the test reboots the VM itself. */
  orders = 0;
  boots = 0;
  /** The number of starts that failed because the path in AssertPathExists= was missing. */
  refused = 0;
  #invocations = 0;
  #tableStarts = 0;

  constructor(host: MemoryHost, start: (unit: string) => Promise<string | undefined>) {
    this.#host = host;
    this.#start = start;
  }

  /** The number of starts of K3s units, including restarts. */
  get starts(): number {
    return this.#invocations;
  }

  invocation(unit: string): string {
    return this.#unit(unit).invocation;
  }

  isActive(name: RegExp): boolean {
    return [...this.#units].some(([unit, { state }]) => name.test(unit) && state === 'active');
  }

  /** Adds an enabled, running unit that Slipway did not write. */
  found(name: string, text: string): void {
    this.#host.files.write(`${directory}/${name}`, text);
    this.#enable(name);
    Object.assign(this.#unit(name), { state: 'active', subState: 'running', invocation: 'f0'.repeat(16) });
  }

  /** Ends a running K3s as a kill does; systemd starts it again. */
  crash(name: string): void {
    this.#unit(name).state = 'activating';
    this.#fail(name, this.#unit(name));
  }

  /** Returns the text of a unit as systemd loaded it; empty if no such unit is loaded. */
  loaded(name: string): string {
    return this.#unit(name).loaded ?? '';
  }

  powerOff(): void {
    this.boots += 1;
    this.#units.clear();
    this.netfilter.flush();
    this.nat.flush();
  }

  async boot(): Promise<void> {
    for (const name of this.#host.files.list(directory)) {
      if (name.endsWith('.service') && this.#isEnabled(name)) {
        await this.systemctl(['start', '--no-block', name]);
      }
    }
  }

  /** Emulates the systemctl commands that Slipway uses; any other command fails. */
  async systemctl(args: readonly string[]): Promise<string | Partial<CommandResult>> {
    const [verb, ...rest] = args;
    const name = rest.at(-1) ?? '';
    const form = args.join(' ');
    if (form === 'daemon-reload') {
      return this.#reload();
    }
    if (form === 'reboot') {
      this.orders += 1;
      return '';
    }
    if (verb === 'show' && rest.at(-2) === '-p') {
      return rest
        .slice(0, -2)
        .map((each) => this.#show(each, name))
        .join('\n');
    }
    if (form.startsWith('disable --now refresh-acr-credentials')) {
      return this.#disable(args.slice(2));
    }
    if (form === 'restart systemd-sysctl.service') {
      return this.#applySysctl();
    }
    if (form === 'restart systemd-modules-load.service') {
      return this.#loadModules();
    }
    const loader = loaders.find((each) => each === name);
    if (loader && this.#text(name)) {
      return this.#loader(loader, form.slice(0, -name.length - 1));
    }
    if (!/^k3s(-agent)?\.service$/.test(name) || !this.#text(name)) {
      return { exitCode: 5, stderr: `Unit ${name} not found.` };
    }
    switch (form.slice(0, -name.length - 1)) {
      case 'enable':
        this.#enable(name);
        return '';
      case 'start --no-block':
      case 'restart --no-block':
        this.#countAnew(name);
        return this.#launch(name);
      case 'stop':
      case 'stop --no-block':
        this.#stop(name);
        return '';
      case 'disable --now --no-block':
        return this.#disable([name]);
      default:
        return { exitCode: 1, stderr: `The test did not foresee: systemctl ${form}` };
    }
  }

  journal(args: readonly string[]): string {
    const [, invocation] = /^_SYSTEMD_INVOCATION_ID=(.+)$/.exec(args[0] ?? '') ?? [];
    const unit = [...this.#units.values()].find((each) => each.invocation === invocation);
    return `${unit?.log.join('\n') ?? ''}\n`;
  }

  /** Passes the arguments of a systemd-run(1) command to the table that the last argument names. */
  systemdRun(args: readonly string[]): string | Partial<CommandResult> {
    return (args.at(-1) === 'slipway_nat' ? this.nat : this.netfilter).systemdRun(args);
  }

  #loader(name: (typeof loaders)[number], verb: string): string | Partial<CommandResult> {
    const wants = `${directory}/multi-user.target.wants/${name}`;
    switch (verb) {
      case 'enable':
        this.#host.files.link(wants, `${directory}/${name}`);
        return '';
      case 'disable --now':
        this.#host.files.remove(wants);
        Object.assign(this.#unit(name), { state: 'inactive', subState: 'dead' });
        return '';
      case 'reload-or-restart':
      case 'start --no-block':
        return this.#loadRules(name);
      default:
        return { exitCode: 1, stderr: `The test did not foresee: systemctl ${verb} ${name}` };
    }
  }

  /**
   * Starts or reloads a unit that loads a table: writes the kernel setting of the unit, if any, and loads the table.
   * Does nothing if the path in ConditionPathExists= is missing.
   */
  #loadRules(name: (typeof loaders)[number]): string | Partial<CommandResult> {
    const unit = this.#unit(name);
    const [, needed = ''] = /^ConditionPathExists=(.+)$/m.exec(unit.loaded ?? '') ?? [];
    const [, path = ''] = /^ExecStart=\/usr\/sbin\/nft -f (.+)$/m.exec(unit.loaded ?? '') ?? [];
    const [, value, setting = ''] =
      /^ExecStart=\/bin\/sh -c 'echo (\d) >(\S+)'$/m.exec(unit.loaded ?? '') ?? [];
    if (!this.#host.files.stat(needed)) {
      return '';
    }
    if (value !== undefined) {
      this.#host.files.write(setting, `${value}\n`);
    }
    const table = name === 'slipway-nat.service' ? this.nat : this.netfilter;
    const complaint = table.load(this.#host.files.text(path));
    unit.log = complaint === undefined ? [] : [complaint];
    // A reload keeps the invocation of an active unit.
    if (unit.state !== 'active') {
      this.#tableStarts += 1;
      unit.invocation = `table-start-${this.#tableStarts}`;
    }
    if (complaint === undefined) {
      Object.assign(unit, { state: 'active', subState: 'exited' });
    } else if (unit.state !== 'active') {
      unit.state = 'failed';
    }
    return complaint === undefined ? '' : { exitCode: 1, stderr: `Job for ${name} failed.` };
  }

  #unit(name: string): Unit {
    const fresh: Unit = {
      state: 'inactive',
      subState: 'dead',
      invocation: '',
      restarts: 0,
      loaded: this.#text(name),
      log: [],
    };
    const unit = this.#units.get(name) ?? fresh;
    this.#units.set(name, unit);
    return unit;
  }

  #text(name: string): string | undefined {
    return this.#host.files.text(`${directory}/${name}`);
  }

  #isEnabled(name: string): boolean {
    return this.#host.files.stat(`${directory}/multi-user.target.wants/${name}`) !== undefined;
  }

  #enable(name: string): void {
    this.#host.files.link(`${directory}/multi-user.target.wants/${name}`, `${directory}/${name}`);
  }

  #disable(names: readonly string[]): string {
    for (const name of names) {
      this.#host.files.remove(`${directory}/multi-user.target.wants/${name}`);
      this.#stop(name);
    }
    return '';
  }

  #reload(): string {
    for (const [name, unit] of this.#units) {
      unit.loaded = this.#text(name);
    }
    return '';
  }

  #show(name: string, wanted: string): string {
    const unit = this.#unit(name);
    const all: Readonly<Record<string, string>> = {
      LoadState: unit.loaded === undefined ? 'not-found' : 'loaded',
      NeedDaemonReload: unit.loaded === this.#text(name) ? 'no' : 'yes',
      UnitFileState: this.#isEnabled(name) ? 'enabled' : 'disabled',
      ActiveState: unit.state,
      SubState: unit.subState,
      InvocationID: unit.invocation,
      NRestarts: `${unit.restarts}`,
      ExecMainStatus: '0',
      Result: 'success',
      // A unit of Type=notify has a job until it has started.
      Job: unit.subState === 'start' ? '77' : '0',
      FragmentPath: unit.loaded === undefined ? '' : `${directory}/${name}`,
      ExecStart: execStart(unit.loaded),
    };
    return wanted
      .split(',')
      .map((property) => `${property}=${all[property]}\n`)
      .join('');
  }

  /** Counts restarts from zero, as systemd does for a unit that did not wait to be restarted. */
  #countAnew(name: string): void {
    const unit = this.#unit(name);
    unit.restarts = unit.subState === 'auto-restart' ? unit.restarts : 0;
  }

  async #launch(name: string): Promise<string> {
    const unit = this.#unit(name);
    const needed = /^AssertPathExists=(.+)$/m.exec(unit.loaded ?? '')?.[1];
    if (needed !== undefined && this.#host.files.stat(needed) === undefined) {
      this.#stop(name);
      this.refused += 1;
      return '';
    }
    this.#invocations += 1;
    Object.assign(unit, {
      state: 'activating',
      subState: 'start',
      invocation: `invocation-${this.#invocations}`,
      log: [],
    });
    const { invocation } = unit;
    this.#makeRuntimeDirectory(unit);
    const fate = (await this.#start(name)) ?? this.failing;
    if (fate !== undefined) {
      unit.log.push(fate);
    }
    const isThis = () => this.#unit(name).invocation === invocation;
    this.#host.at(this.#host.now() + startTime, () => {
      if (!isThis()) {
        return;
      }
      if (fate === undefined) {
        Object.assign(unit, { state: 'active', subState: 'running' });
      } else {
        this.#fail(name, unit);
      }
    });
    return '';
  }

  /**
   * Replaces the runtime directory of a unit with an empty one, as systemd does at each start of a unit with
   * RuntimeDirectory= (systemd.exec(5)).
   */
  #makeRuntimeDirectory(unit: Unit): void {
    if (!hasRuntimeDirectory(unit)) {
      return;
    }
    this.#host.files.remove('/run/slipway-k3s');
    this.#host.files.makeDirectory('/run/slipway-k3s');
  }

  /**
   * Puts a failed unit into auto-restart, and starts it again after five seconds (Restart=always, RestartSec=5s) unless
   * another start or a stop comes first.
   */
  #fail(name: string, unit: Unit): void {
    Object.assign(unit, { subState: 'auto-restart', restarts: unit.restarts + 1 });
    const { invocation } = unit;
    this.#host.at(this.#host.now() + restartTime, () => {
      if (this.#unit(name).invocation === invocation) {
        void this.#launch(name);
      }
    });
  }

  #stop(name: string): void {
    const unit = this.#unit(name);
    Object.assign(unit, { state: 'inactive', subState: 'dead', invocation: '' });
    if (hasRuntimeDirectory(unit)) {
      this.#host.files.remove('/run/slipway-k3s');
    }
  }

  #applySysctl(): string {
    const text = this.#host.files.text('/etc/sysctl.d/90-slipway-k3s.conf') ?? '';
    for (const [, key = '', value] of text.matchAll(/^(\S+) = (\S+)$/gm)) {
      this.#host.files.write(`/proc/sys/${key.replaceAll('.', '/')}`, `${value}\n`);
    }
    return '';
  }

  #loadModules(): string {
    this.#host.files.write('/proc/filesystems', 'nodev\tsysfs\nnodev\toverlay\n\text4\n');
    this.#host.files.write('/proc/sys/net/bridge/bridge-nf-call-iptables', '0\n');
    this.#host.files.write('/proc/sys/net/bridge/bridge-nf-call-ip6tables', '0\n');
    return '';
  }
}

function hasRuntimeDirectory({ loaded = '' }: Unit): boolean {
  return /^RuntimeDirectory=slipway-k3s$/m.test(loaded);
}

/** Returns the ExecStart property as `systemctl show` prints it, but shortened; empty if the unit has no ExecStart=. */
function execStart(text = ''): string {
  const [, argv = ''] = /^ExecStart=(.+)$/m.exec(text) ?? [];
  return argv && `{ path=${argv.split(' ')[0]} ; argv[]=${argv} ; ignore_errors=no }`;
}
