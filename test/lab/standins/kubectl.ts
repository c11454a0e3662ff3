/**
 * The part of `kubectl` that a node uses: get, version, get --raw, delete, annotate, create.
 *
 * Models the output, the error messages (k8s.io/kubectl/pkg/cmd/util/helpers.go, client-go's clientcmd) and the exit
 * codes. Like the real kubectl, sends its requests to the supervisor's port with the client certificate of the
 * kubeconfig.
 */
import { versionInfo } from './k3s-api.ts';
import {
  ask,
  type Config,
  call,
  callKnown,
  notModelled,
  readKubeconfig,
  reason,
  refusal,
} from './kubectl-api.ts';
import { annotate, create } from './kubectl-changes.ts';
import { commandLine, type Line } from './kubectl-line.ts';
import { nodeTable } from './kubectl-nodes.ts';

/**
 * Runs a kubectl command line and prints its output or error; resolves to its exit code. Uses the kubeconfig `fallback`
 * if neither --kubeconfig nor KUBECONFIG is set.
 */
export async function kubectl(args: readonly string[], version: string, fallback: string): Promise<number> {
  try {
    const line = commandLine(args);
    const file = line.flags.get('kubeconfig') ?? process.env.KUBECONFIG ?? fallback;
    const config = readKubeconfig(file, line.flags.get('request-timeout'));
    if (line.verb === 'version') {
      await showVersion(line, config, version);
    }
    if (line.verb === 'get') {
      await get(line, config);
    }
    if (line.verb === 'delete') {
      await remove(line, config);
    }
    if (line.verb === 'annotate') {
      await annotate(line, config);
    }
    if (line.verb === 'create') {
      await create(line, config);
    }
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

async function get(line: Line, config: Config): Promise<void> {
  const raw = line.flags.get('raw');
  if (raw !== undefined) {
    process.stdout.write((await ask(config, raw)).body);
    return;
  }
  const [kind, name] = target(line);
  const answer = await callKnown(config, path(line, kind, name));
  if (answer.status === 404 && line.flags.has('ignore-not-found') && reason(answer) === 'NotFound') {
    return;
  }
  if (answer.status !== 200) {
    throw refusal(answer);
  }
  print(line, kind, JSON.parse(answer.body));
}

async function remove(line: Line, config: Config): Promise<void> {
  const [kind, name] = target(line);
  await ask(config, path(line, kind, name), 'DELETE');
  process.stdout.write(`${kind} "${name}" deleted\n`);
}

async function showVersion(line: Line, config: Config, version: string): Promise<void> {
  const client = { clientVersion: versionInfo(version), kustomizeVersion: 'v5.7.1' };
  const show = (value: object) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  if (line.flags.get('output') !== 'json') {
    throw new Error(notModelled('version without -o json'));
  }
  if (line.flags.has('client')) {
    show(client);
  } else {
    const answer = await call(config, '/version').catch((error) => {
      show(client);
      throw error;
    });
    if (answer.status !== 200) {
      throw refusal(answer);
    }
    show({ ...client, serverVersion: JSON.parse(answer.body) });
  }
}

function target(line: Line): readonly [string, string | undefined] {
  const [first, second] = line.words;
  if (first === undefined) {
    throw new Error('error: You must specify the type of resource to get.');
  }
  const [kind = first, name] = first.split('/');
  return [kind, name ?? second];
}

function path(line: Line, kind: string, name: string | undefined): string {
  const everywhere = line.flags.has('all-namespaces');
  const space = line.flags.get('namespace') ?? 'default';
  if (name === undefined) {
    return `/objects/${kind}${everywhere ? '' : `/${space}`}`;
  }
  return `/objects/${kind}/${space}/${encodeURIComponent(name)}`;
}

function print(line: Line, kind: string, found: { metadata?: { name?: string }; items?: object[] }): void {
  const output = line.flags.get('output') ?? '';
  if (output === 'json') {
    process.stdout.write(`${JSON.stringify(found, null, 4)}\n`);
  } else if (output === '' && ['node', 'nodes'].includes(kind)) {
    process.stdout.write(nodeTable(found.items ?? [found], Date.now()));
  } else if (output === 'name' || output === '') {
    const items = (found.items ?? [found]).map((item) => Object(item).metadata?.name);
    process.stdout.write(items.map((name) => `${output === '' ? '' : `${kind}/`}${name}\n`).join(''));
  } else {
    throw new Error(notModelled(`-o ${output}`));
  }
}
