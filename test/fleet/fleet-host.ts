import { commandLine } from '../../src/agent/engine/command-line.ts';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type {
  Command,
  CommandResult,
  Download,
  FileStat,
  FoundFile,
  Host,
  HttpRequest,
  HttpResponse,
  HttpSend,
  Job,
  RunningJob,
} from '../../src/agent/engine/host.ts';
import { type Content, reveal, type Secret } from '../../src/agent/engine/secret.ts';
import type { FleetApi } from './fleet-api.ts';
import { answerOf, execute, releaseAt } from './fleet-commands.ts';
import { type FleetNode, servingCertificate } from './fleet-node.ts';

/** A process of Slipway. */
export interface Process {
  isAlive: boolean;
  /** The number of changes before the one at which `onLast` is called. */
  changesLeft: number;
  /** Called just before that change, which follows unless the process or the machine has ended. */
  onLast: () => void;
}

/**
 * The machine as one process sees it. Once the process has been killed, no call returns, so nothing of it goes on.
 * Throws a plain Error for a command that the fleet does not model.
 */
export class FleetHost implements Host {
  readonly #node: FleetNode;
  readonly #api: FleetApi;
  readonly #process: Process;
  readonly readDatabase = notModelled('readDatabase');
  readonly readSnapshot = notModelled('readSnapshot');
  readonly copyDatabase = notModelled('copyDatabase');
  readonly compress = notModelled('compress');
  readonly decompress = notModelled('decompress');
  readonly upload = notModelled('upload');
  readonly fetchFile = notModelled('fetchFile');
  readonly copyFile = notModelled('copyFile');
  readonly digestFile = notModelled('digestFile');

  constructor(node: FleetNode, api: FleetApi, process: Process) {
    this.#node = node;
    this.#api = api;
    this.#process = process;
  }

  async readFile(path: string): Promise<FoundFile | undefined> {
    if (path === '/proc/uptime') {
      const content = `${(this.#machine.uptime() / 1_000).toFixed(2)} 0.00\n`;
      return this.#ifAlive({ content, mode: 0o444, modifiedAt: 0 });
    }
    return this.#ifAlive(this.#machine.files.read(path));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return this.#ifAlive(this.#machine.files.stat(path));
  }

  async list(path: string): Promise<readonly string[]> {
    const { files } = this.#machine;
    return this.#ifAlive(files.stat(path) === undefined ? [] : files.list(path));
  }

  async query(command: Command): Promise<CommandResult> {
    return this.#ifAlive({ exitCode: 0, stdout: answerOf(this.#node, command), stderr: '' });
  }

  async job(_trace: string): Promise<RunningJob | undefined> {
    return this.#ifAlive(undefined);
  }

  get(request: HttpRequest): Promise<HttpResponse> {
    return this.#whileAlive(this.#api.send(this.#node, { ...request, method: 'GET' }));
  }

  async peerCertificate(): Promise<string> {
    if (this.#node.k3s.state !== 'active') {
      throw new NodeError('Unreachable', 'connect ECONNREFUSED');
    }
    return this.#ifAlive(servingCertificate);
  }

  now(): number {
    return this.#machine.now();
  }

  monotonic(): number {
    return this.#machine.monotonic();
  }

  async writeFile(path: string, content: Content, { mode }: { readonly mode: number }): Promise<void> {
    await this.#change();
    this.#machine.note(`writes ${path}`);
    this.#machine.files.write(path, reveal(content), mode);
  }

  async link(path: string, target: string): Promise<void> {
    await this.#change();
    this.#machine.files.link(path, target);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change();
    this.#machine.files.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    await this.#change();
    this.#machine.note(`removes ${path}`);
    this.#machine.files.remove(path);
  }

  async run(command: Command): Promise<CommandResult> {
    await this.#change();
    this.#machine.note(commandLine(command));
    execute(this.#node, command);
    return this.#ifAlive({ exitCode: 0, stdout: '', stderr: '' });
  }

  async send(request: HttpSend): Promise<HttpResponse> {
    await this.#change();
    return this.#whileAlive(this.#api.send(this.#node, request));
  }

  async download({ url }: Download): Promise<string> {
    await this.sleep(this.#machine.shared.random.between(2, 40) * 1_000);
    return sha256(releaseAt(url));
  }

  async install({ url, path, mode }: Download, _digest: string): Promise<void> {
    await this.#change();
    this.#machine.note(`installs ${path}`);
    this.#machine.files.write(path, releaseAt(url), mode);
  }

  obtain(_what: string, fetch: () => Promise<Secret>): Promise<Secret> {
    return this.#whileAlive(fetch());
  }

  /** Does the work of a job within the pass, so a pass may take as long as a download. */
  perform(_job: Job, work: (signal: AbortSignal) => Promise<string>): Promise<string> {
    return this.#whileAlive(work(new AbortController().signal));
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      cancel();
      this.#machine.shared.timeline.isAwake = true;
      resolve();
    };
    const cancel = this.#machine.after(milliseconds, wake);
    signal?.addEventListener('abort', wake);
    return this.#whileAlive(promise);
  }

  get #machine() {
    return this.#node.machine;
  }

  /** Counts a change. Before the last one that is counted, something may happen to the process or its machine. */
  async #change(): Promise<void> {
    const process = this.#process;
    if (process.isAlive && process.changesLeft === 0) {
      process.onLast();
    }
    process.changesLeft -= 1;
    return this.#machine.isSuspended ? this.sleep(0) : this.#ifAlive(undefined);
  }

  /** Returns a value to a process that is alive; otherwise never returns. */
  #ifAlive<Value>(value: Value): Value | Promise<never> {
    return this.#process.isAlive ? value : never();
  }

  async #whileAlive<Value>(work: Promise<Value>): Promise<Value> {
    try {
      const value = await work;
      return this.#process.isAlive ? value : await never();
    } catch (thrown) {
      return this.#process.isAlive ? Promise.reject(thrown) : never();
    }
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

/** Returns a call of the Host that fails, because no Resource of a fleet needs it. */
function notModelled(call: string): () => Promise<never> {
  return async () => {
    throw new Error(`the fleet does not model ${call}`);
  };
}
