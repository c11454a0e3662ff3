/**
 * `kubectl`, as far as a node asks it: get, version, get --raw, delete.
 *
 * Models the output, the error texts (k8s.io/kubectl/pkg/cmd/util/helpers.go, client-go's clientcmd) and the exit
 * codes. Objects go over the supervisor's port with the kubeconfig's client certificate, as with the real one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { versionInfo } from './k3s-api.ts';
import { type Answer, exchange } from './k3s-http.ts';

/** Runs one kubectl command line; resolves with its exit code. */
export async function kubectl(args: readonly string[], version: string, fallback: string): Promise<number> {
  try {
    const line = commandLine(args);
    const config = readKubeconfig(line.flags.get('kubeconfig') ?? process.env.KUBECONFIG ?? fallback);
    if (line.verb === 'version') return await showVersion(line, config, version);
    if (line.verb === 'get') return await get(line, config);
    if (line.verb === 'delete') return await remove(line, config);
    throw new Error(`error: unknown command "${line.verb}" for "kubectl"`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

interface Line {
  readonly verb: string;
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
}

interface Config {
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const takesValue = [
  'kubeconfig',
  'context',
  'namespace',
  'output',
  'raw',
  'request-timeout',
  'cache-dir',
  'server',
  'token',
];
const switches = [
  'all-namespaces',
  'ignore-not-found',
  'no-headers',
  'show-labels',
  'client',
  'insecure-skip-tls-verify',
];
const short: Readonly<Record<string, string>> = {
  n: 'namespace',
  o: 'output',
  A: 'all-namespaces',
  s: 'server',
};

function commandLine(args: readonly string[]): Line {
  const rest = [...args];
  const words: string[] = [];
  const flags = new Map<string, string>();
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, dashes, given, joined] = /^(--?)([^=]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (given === undefined) words.push(arg);
    else {
      const flag = dashes === '-' ? (short[given] ?? given) : given;
      const known = takesValue.includes(flag) || switches.includes(flag);
      if (!known)
        throw new Error(
          `error: unknown flag: ${dashes}${given}\nSee 'kubectl ${words[0]} --help' for usage.`,
        );
      flags.set(flag, joined ?? (switches.includes(flag) ? 'true' : (rest.shift() ?? '')));
    }
  }
  return { verb: words[0] ?? '', words: words.slice(1), flags };
}

function readKubeconfig(path: string): Config {
  if (!existsSync(path)) throw new Error(`error: stat ${path}: no such file or directory`);
  const found = Object(parse(readFileSync(path, 'utf8')));
  const cluster = Object(found.clusters?.[0]?.cluster);
  const user = Object(found.users?.[0]?.user);
  const text = (data: unknown) => Buffer.from(String(data ?? ''), 'base64').toString();
  return {
    server: String(cluster.server ?? 'http://localhost:8080'),
    ca: text(cluster['certificate-authority-data']),
    certificate: text(user['client-certificate-data']),
    key: text(user['client-key-data']),
  };
}

async function get(line: Line, config: Config): Promise<number> {
  const raw = line.flags.get('raw');
  if (raw !== undefined) {
    const answer = await call(config, raw);
    if (answer.status !== 200) throw refusal(answer);
    process.stdout.write(answer.body);
    return 0;
  }
  const [kind, name] = target(line);
  const answer = await call(config, path(line, kind, name));
  if (answer.status === 404 && line.flags.has('ignore-not-found') && reason(answer) === 'NotFound') return 0;
  if (answer.status !== 200) throw refusal(answer);
  print(line, kind, JSON.parse(answer.body));
  return 0;
}

async function remove(line: Line, config: Config): Promise<number> {
  const [kind, name] = target(line);
  const answer = await call(config, path(line, kind, name), 'DELETE');
  if (answer.status !== 200) throw refusal(answer);
  process.stdout.write(`${kind} "${name}" deleted\n`);
  return 0;
}

async function showVersion(line: Line, config: Config, version: string): Promise<number> {
  const client = { clientVersion: versionInfo(version), kustomizeVersion: 'v5.7.1' };
  const show = (value: object) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  if (line.flags.get('output') !== 'json') throw new Error(notModelled('version without -o json'));
  if (line.flags.has('client')) show(client);
  else {
    const answer = await call(config, '/version').catch((error) => {
      show(client);
      throw error;
    });
    if (answer.status !== 200) throw refusal(answer);
    show({ ...client, serverVersion: JSON.parse(answer.body) });
  }
  return 0;
}

function target(line: Line): readonly [string, string | undefined] {
  const [first, second] = line.words;
  if (first === undefined) throw new Error('error: You must specify the type of resource to get.');
  const [kind = first, name] = first.split('/');
  return [kind, name ?? second];
}

function path(line: Line, kind: string, name: string | undefined): string {
  const everywhere = line.flags.has('all-namespaces');
  const space = line.flags.get('namespace') ?? 'default';
  if (name === undefined) return `/objects/${kind}${everywhere ? '' : `/${space}`}`;
  return `/objects/${kind}/${space}/${encodeURIComponent(name)}`;
}

function print(line: Line, kind: string, found: { metadata?: { name?: string }; items?: unknown[] }): void {
  const output = line.flags.get('output') ?? '';
  if (output === 'json') process.stdout.write(`${JSON.stringify(found, null, 4)}\n`);
  else if (output === 'name' || output === '') {
    const items = (found.items ?? [found]).map((item) => Object(item).metadata?.name);
    process.stdout.write(items.map((name) => `${output === '' ? '' : `${kind}/`}${name}\n`).join(''));
  } else throw new Error(notModelled(`-o ${output}`));
}

async function call(config: Config, path: string, method = 'GET'): Promise<Answer> {
  try {
    return await exchange({ ...config, url: `${config.server}${path}`, method });
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    if (words.includes('connection refused')) {
      const { host } = new URL(config.server);
      throw new Error(
        `The connection to the server ${host} was refused - did you specify the right host or port?`,
      );
    }
    throw new Error(`Unable to connect to the server: ${words.replace(/^\w+ "[^"]*": /, '')}`);
  }
}

function reason(answer: Answer): string {
  return String(Object(JSON.parse(answer.body)).reason);
}

function refusal(answer: Answer): Error {
  const { reason, message } = JSON.parse(answer.body);
  if (reason === 'Unauthorized')
    return new Error('error: You must be logged in to the server (Unauthorized)');
  if (reason === 'NoResourceMatch')
    return new Error(`error: the server doesn't have a resource type "${message}"`);
  return new Error(`Error from server (${reason}): ${message}`);
}

function notModelled(what: string): string {
  return `error: the kubectl stand-in does not model ${what}`;
}
