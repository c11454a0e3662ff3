import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/**
 * Returns a note for the titles of skipped tests that states why this machine cannot run tests in network namespaces;
 * empty if the machine can run them.
 */
export function whatIsMissing(): string {
  const programs = { nft: '--version', ip: '-V', unshare: '--version', nsenter: '--version' };
  const absent = Object.entries(programs)
    .filter(([name, option]) => spawnSync(name, [option]).error)
    .map(([name]) => name);
  const reasons = [
    ...(process.getuid?.() === 0 ? [] : ['network namespaces need root']),
    ...(absent.length > 0 ? [`not installed: ${absent.join(', ')}`] : []),
  ];
  if (reasons.length > 0) {
    return ` (skipped: ${reasons.join('; ')})`;
  }
  const { status } = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset']);
  return status === 0 ? '' : ' (skipped: this machine cannot create a network namespace with nftables)';
}

/** A network namespace that exists as long as a process holds it. */
export class Network {
  #holder: ChildProcess | undefined;
  readonly #servers: ChildProcess[] = [];

  /** Creates the network namespace and waits until it exists. */
  async make(): Promise<void> {
    const script = 'echo made; exec sleep infinity';
    const holder = spawn('unshare', ['--net', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#holder = holder;
    await once(holder.stdout, 'data');
  }

  /** The id of the process that holds the network. */
  get pid(): string {
    return String(this.#holder?.pid);
  }

  /** Runs a program in the network as root and returns its output; throws an error if the program fails. */
  run(file: string, ...args: readonly string[]): string {
    return execFileSync('nsenter', [...this.#entry, file, ...args], { encoding: 'utf8', stdio: 'pipe' });
  }

  /** Runs `ip` in the network once for each line of arguments. */
  ip(commands: string): void {
    for (const line of commands.trim().split('\n')) {
      this.run('ip', ...line.trim().split(' '));
    }
  }

  /** Serves this answer over HTTP at this address and port in the network, until `end` is called. */
  async serve(address: string, port: number, answer: string): Promise<void> {
    await this.#serve(address, port, JSON.stringify(answer));
  }

  /** Answers each client over HTTP at this address and port with the client's address, until `end` is called. */
  async serveClientAddress(address: string, port: number): Promise<void> {
    await this.#serve(address, port, 'request.socket.remoteAddress');
  }

  async #serve(address: string, port: number, answer: string): Promise<void> {
    const script = `require('http').createServer((request, response) => response.end(${answer}))
      .listen(${port}, '${address}', () => console.log('listening'))`;
    const server = spawn('nsenter', [...this.#entry, process.execPath, '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#servers.push(server);
    await once(server.stdout, 'data');
  }

  /**
   * Sends an HTTP GET from this network as the user `uid`. Returns the body of the answer, `refused`, or a string that
   * begins with `neither answered nor refused`.
   */
  ask(address: string, { port = 80, uid = 0 } = {}): string {
    const script = `exec 3<>/dev/tcp/${address}/${port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
    const user = ['--setuid', String(uid), '--setgid', String(uid)];
    const { stdout, stderr } = spawnSync(
      'nsenter',
      [...this.#entry, ...user, 'timeout', '2', 'bash', '-c', script],
      {
        encoding: 'utf8',
      },
    );
    if (stdout !== '') {
      return stdout.split('\r\n\r\n')[1] ?? stdout;
    }
    return stderr.includes('Connection refused') ? 'refused' : `neither answered nor refused: ${stderr}`;
  }

  async end(): Promise<void> {
    for (const child of [...this.#servers, ...(this.#holder ? [this.#holder] : [])]) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) {
        await once(child, 'exit');
      }
    }
  }

  get #entry(): readonly string[] {
    return ['--target', this.pid, '--net'];
  }
}
