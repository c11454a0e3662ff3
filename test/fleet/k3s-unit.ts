import { sha256 } from '../../src/agent/engine/digest.ts';
import { renderOwn } from '../../src/agent/engine/own-file.ts';
import { ownFiles } from '../../src/agent/own-files.ts';
import { parseToken } from '../../src/agent/parts/k3s/membership/token.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { Leaves } from './leaves.ts';
import type { Machine } from './machine.ts';
import type { ServerPasswords } from './passwords.ts';

const paths = nodePaths('/');
const second = 1_000;
/** systemd waits this long before it starts a K3s that ended (RestartSec=5s in the unit of K3s). */
const restartAfter = 5 * second;

/** A release that ends soon after each start. */
export const badRelease = 'v1.36.9+k3s9';

/** Returns the text of the executable of a release. */
export function executable(version: string): string {
  return `k3s version ${version} (1a2b3c4d)\n`;
}

/** What K3s keeps in its data directory. */
export interface K3sData {
  readonly leaves: Leaves;
  readonly passwords: ServerPasswords | undefined;
  /** True if the node has joined its cluster, or joins it now with this token. */
  readonly admits: (token: string) => boolean;
}

/**
 * The unit of K3s: the model of a service of Type=notify. A start takes seconds, or now and then minutes, as when a
 * database is rebuilt. A new start reads the files anew and notes their digests in the stamp, as the unit's
 * ExecStartPre does.
 */
export class K3sUnit {
  readonly name: string;
  state: 'inactive' | 'activating' | 'active' = 'inactive';
  subState: 'dead' | 'start-pre' | 'start' | 'running' | 'auto-restart' = 'dead';
  /** The release and the configuration with which K3s was started. */
  startedWith = { version: '', config: '' };
  /** The monotonic time of the last start, in milliseconds. */
  startedAt = 0;
  /** The starts so far, those by systemd included. */
  starts = 0;
  /** How often K3s was started with the bad release after it had run another one. */
  badAttempts = 0;
  onActive = () => {};
  /** The journal of the last start. */
  journal = '';
  #invocation = '';
  #restarts = 0;
  #run = 0;
  readonly #machine: Machine;
  /** The token with which K3s was started. */
  #token = '';
  readonly #data: K3sData;

  constructor(machine: Machine, role: 'server' | 'agent', data: K3sData) {
    this.#machine = machine;
    this.#data = data;
    this.name = role === 'server' ? 'k3s.service' : 'k3s-agent.service';
  }

  start(): void {
    if (this.state === 'inactive') {
      this.#restarts = 0;
      this.#begin();
    }
  }

  restart(): void {
    this.stop();
    this.start();
  }

  stop(): void {
    this.#run += 1;
    this.state = 'inactive';
    this.subState = 'dead';
  }

  /** Ends K3s as if it had crashed. systemd starts it again. */
  crash(): void {
    this.#machine.note('K3s crashes');
    this.#end();
  }

  /** Returns the journal of a start, of which only the last one is known. */
  journalOf(invocation: string): string {
    return invocation === this.#invocation ? this.journal : '';
  }

  /** Returns the properties that `systemctl show UNIT -p NAMES` prints. */
  show(names: readonly string[]): string {
    const values: Readonly<Record<string, string>> = {
      LoadState: 'loaded',
      FragmentPath: `/etc/systemd/system/${this.name}`,
      NeedDaemonReload: 'no',
      UnitFileState: 'enabled',
      ActiveState: this.state,
      SubState: this.subState,
      Result: this.subState === 'auto-restart' ? 'exit-code' : 'success',
      NRestarts: String(this.#restarts),
      InvocationID: this.#invocation,
      ExecMainStatus: this.subState === 'auto-restart' ? '1' : '0',
      ExecMainStartTimestampMonotonic: String(Math.round(this.startedAt * 1_000)),
      Job: this.subState === 'start' ? '42' : '',
      ExecStart: '{ path=/usr/local/bin/k3s ; argv[]=/usr/local/bin/k3s }',
    };
    return names
      .map((name) => {
        const value = values[name];
        if (value === undefined) {
          throw new Error(`the unit of K3s does not model ${name}`);
        }
        return `${name}=${value}`;
      })
      .join('\n');
  }

  #begin(): void {
    const { shared, files } = this.#machine;
    const { random } = shared;
    this.starts += 1;
    this.state = 'activating';
    this.subState = 'start';
    this.#invocation = random.hex(32);
    this.startedAt = this.#machine.monotonic();
    const version = /^k3s version (\S+)/.exec(files.text(paths.k3s.binary) ?? '')?.[1] ?? '';
    const config = files.text(paths.k3s.config) ?? '';
    files.write(paths.k3s.lastVersion, `${version}\n`);
    this.badAttempts += version === badRelease && this.startedWith.version !== badRelease ? 1 : 0;
    this.startedWith = { version, config };
    this.#token = (files.text(paths.slipway.joinToken) ?? '').trim();
    const inputs = {
      config: sha256(config),
      version: sha256(version),
      joinToken: sha256(this.#token),
    };
    const certificates = { at: this.#machine.now(), ends: this.#data.leaves.ends };
    const stamp = { invocationId: this.#invocation, inputs, certificates };
    files.write(paths.k3s.stamp, renderOwn(ownFiles.startStamp, stamp), 0o600);
    this.#machine.note(`K3s starts, ${version}, ${config.trim()}`);
    this.journal = this.#data.passwords?.start() ?? '';
    if (version === badRelease || this.journal !== '') {
      this.#later(random.between(1, 8) * second, () => this.#end());
    } else {
      const seconds = random.chance(0.03) ? random.between(60, 200) : random.between(3, 25);
      this.#later(seconds * second, () => this.#isUp());
    }
  }

  #isUp(): void {
    if (!this.#data.admits(parseToken(this.#token)?.credential ?? '')) {
      this.#later(5 * second, () => this.#isUp());
      return;
    }
    this.#data.leaves.renew();
    this.state = 'active';
    this.subState = 'running';
    this.#machine.note('K3s is active');
    this.onActive();
  }

  #end(): void {
    this.state = 'activating';
    this.subState = 'auto-restart';
    this.#restarts += 1;
    this.#run += 1;
    this.#later(restartAfter, () => this.#begin());
  }

  /** Calls `happen` later, unless the state has changed by then. */
  #later(milliseconds: number, happen: () => void): void {
    this.#run += 1;
    const run = this.#run;
    this.#machine.after(milliseconds, () => {
      if (this.#run === run) {
        happen();
      }
    });
  }
}
