/** Tests that the K3s stand-in is as strict as K3s and prints K3s's messages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { bundleStandIn } from '../lab/bundle.ts';
import { freePort } from '../lab/lab.ts';
import { runProgram } from '../lab/processes.ts';
import { issue, makeAuthority } from '../lab/standins/k3s-certificates.ts';
import { exchange } from '../lab/standins/k3s-http.ts';

let built: string;
let root: string;
let port: number;
let running: { readonly child: ChildProcess; readonly log: () => string }[] = [];

beforeAll(async () => {
  built = join(mkdtempSync(join(tmpdir(), 'slipway-k3s-')), 'k3s');
  await bundleStandIn('k3s', built, { K3S_VERSION: 'v1.36.3+k3s1' });
});
afterAll(() => rmSync(join(built, '..'), { recursive: true }));
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'slipway-k3s-'));
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  copyFileSync(built, join(root, 'usr/local/bin/k3s'));
  port = await freePort();
});
afterEach(async () => {
  await Promise.all(
    running.map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        return;
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
    }),
  );
  running = [];
  rmSync(root, { recursive: true });
});

test('the K3s stand-in prints the two version lines of the real K3s', async () => {
  const { stdout } = await k3s('--version');
  expect(stdout).toMatch(/^k3s version v1\.36\.3\+k3s1 \([0-9a-f]{8}\)\ngo version go1\.\d+\.\d+\n$/);
});

describe('config.yaml', () => {
  test('with an unknown key stops an agent', async () => {
    configure({ server: 'https://127.0.0.1:1', 'token-file': '/nowhere', disable: ['traefik'] });
    const { exitCode, stderr } = await k3s('agent');
    expect(stderr).toContain('flag provided but not defined: -disable');
    expect(exitCode).toBe(1);
  });

  test('with an unknown key makes a server log a warning, and the server starts', async () => {
    configure({ ...server(), 'no-such-key': 'x' });
    const { log } = start('server');
    await expect
      .poll(log, { timeout: 60_000 })
      .toContain('Unknown flag --no-such-key found in config.yaml, skipping');
    await expect.poll(log, { timeout: 60_000 }).toContain('k3s is up and running');
  });

  test.each([
    [{ 'https-listen-port': 'many' }, 'invalid value "many" for flag -https-listen-port: parse error'],
    [{ 'disable-agent': 'perhaps' }, 'invalid boolean value "perhaps" for -disable-agent: parse error'],
  ])('with a value of the wrong type stops a server: %j', async (wrong, message) => {
    configure({ ...server(), ...wrong });
    const { exitCode, stderr } = await k3s('server');
    expect(stderr).toContain(JSON.stringify(message).slice(1, -1));
    expect(exitCode).toBe(1);
  });

  test('is overridden by a later file, and extended by a key that ends in +', async () => {
    configure({ ...server(), 'node-name': 'first', 'node-label': ['a=1'] });
    write('etc/rancher/k3s/config.yaml.d/10.yaml', 'node-name: second\nnode-label+: [b=2]\n');
    start('server');
    const node = await eventually(() => kubectl('get', 'node', 'second', '-o', 'json'));
    expect(JSON.parse(node.stdout).metadata.labels).toMatchObject({ a: '1', b: '2' });
  });
});

test('a server issues certificates for a year, and renews only those near their end when it starts again', async () => {
  configure(server());
  const folder = join(root, 'var/lib/rancher/k3s/server/tls');
  const ends = (name: string) => {
    const pem = readFileSync(join(folder, name), 'utf8');
    return Math.round((new X509Certificate(pem).validToDate.getTime() - Date.now()) / 86_400_000);
  };
  const first = start('server');
  await expect.poll(first.log, { timeout: 60_000 }).toContain('k3s is up and running');
  expect([ends('client-admin.crt'), ends('etcd/client.crt')]).toEqual([365, 365]);
  first.child.kill('SIGTERM');
  await once(first.child, 'exit');
  const kept = readFileSync(join(folder, 'etcd/client.crt'), 'utf8');
  const old = issue(makeAuthority('k3s-client-ca'), { commonName: 'x', life: 100 * 86_400_000 });
  writeFileSync(join(folder, 'client-admin.crt'), old.certificate);
  await expect.poll(start('server').log, { timeout: 60_000 }).toContain('k3s is up and running');
  expect(ends('client-admin.crt')).toBe(365);
  expect(readFileSync(join(folder, 'etcd/client.crt'), 'utf8')).toBe(kept);
});

describe('a token', () => {
  test('is awaited if its file is missing', async () => {
    configure({ server: 'https://127.0.0.1:1', 'token-file': join(root, 'later') });
    await expect.poll(start('agent').log, { timeout: 60_000 }).toContain('Waiting for file');
  });

  test('stops a server if it differs from the token of the datastore', async () => {
    configure(server());
    const first = start('server');
    await expect.poll(first.log, { timeout: 60_000 }).toContain('k3s is up and running');
    first.child.kill('SIGTERM');
    await once(first.child, 'exit');
    write('token', 'another');
    const { exitCode, stderr } = await k3s('server');
    expect(stderr).toContain('bootstrap data already found and encrypted with different token');
    expect(exitCode).toBe(1);
  });

  test('is not accepted if it pins another CA', async () => {
    configure(server());
    await expect.poll(start('server').log, { timeout: 60_000 }).toContain('k3s is up and running');
    write('agent-token', `K10${'0'.repeat(64)}::node:secret`);
    const agent = { server: `https://127.0.0.1:${port}`, 'token-file': join(root, 'agent-token') };
    write('agent.yaml', stringify({ ...agent, 'data-dir': join(root, 'agent') }));
    const { log } = start('agent', '--config', join(root, 'agent.yaml'));
    await expect
      .poll(log, { timeout: 60_000 })
      .toContain('token CA hash does not match the Cluster CA certificate hash');
  });

  test('is replaced by a rotation only at the next start of the server, which needs the new token', async () => {
    configure(server());
    const first = start('server');
    await expect.poll(first.log, { timeout: 60_000 }).toContain('k3s is up and running');
    expect(await rotation('server:secret', 'second')).toBe(200);
    expect(await rotation('server:second', 'second')).toBe(401);
    expect(await rotation('server:secret', 'second')).toBe(200);
    await ended(first.child);
    expect((await k3s('server')).stderr).toContain('encrypted with different token');
    write('token', 'second');
    await expect.poll(start('server').log, { timeout: 60_000 }).toContain('k3s is up and running');
    expect(await rotation('server:secret', 'third')).toBe(401);
    expect(await rotation('server:second', 'abcdef.0123456789abcdef')).toBe(500);
  });

  test('stops a server whose password file is newer than the datastore, until the file is removed', async () => {
    configure(server());
    const first = start('server');
    await expect.poll(first.log, { timeout: 60_000 }).toContain('k3s is up and running');
    await ended(first.child);
    const passwd = join(root, 'var/lib/rancher/k3s/server/cred/passwd');
    const later = new Date(Date.now() + 10_000);
    writeFileSync(passwd, 'x,server,server,k3s:server\n');
    utimesSync(passwd, later, later);
    expect((await k3s('server')).stderr).toContain(
      '/server/cred/passwd newer than datastore and could cause a cluster outage',
    );
    rmSync(passwd);
    await expect.poll(start('server').log, { timeout: 60_000 }).toContain('k3s is up and running');
  });

  test('is taken from the file rather than the option', async () => {
    configure({ ...server(), token: 'another' });
    await expect.poll(start('server').log, { timeout: 60_000 }).toContain('k3s is up and running');
    const headers = { authorization: `Basic ${btoa('node:secret')}` };
    const answer = await exchange({ url: `https://127.0.0.1:${port}/v1-k3s/readyz`, headers });
    expect(answer.status).toBe(200);
  });

  test('without a CA hash lets an agent join by a name that is not in the certificate, even after a change of the CA', async () => {
    configure(server());
    const first = start('server');
    await expect.poll(first.log, { timeout: 60_000 }).toContain('k3s is up and running');
    const joined = () => agent(`https://[::ffff:127.0.0.1]:${port}`);
    const before = joined();
    await expect.poll(before.log, { timeout: 60_000 }).toContain('k3s agent is up and running');
    expect(before.log()).toContain('the token does not include a CA hash');
    await Promise.all([first, before].map(({ child }) => ended(child)));
    rmSync(join(root, 'var/lib/rancher/k3s/server'), { recursive: true });
    await expect.poll(start('server').log, { timeout: 60_000 }).toContain('k3s is up and running');
    await expect.poll(joined().log, { timeout: 60_000 }).toContain('k3s agent is up and running');
  });

  test('gets 200 from /v1-k3s/readyz with the user node, 403 with the user server, and 401 if it is wrong', async () => {
    configure(server());
    await expect.poll(start('server').log, { timeout: 60_000 }).toContain('k3s is up and running');
    const answerTo = (credentials: string) => {
      const headers = { authorization: `Basic ${btoa(credentials)}` };
      return exchange({ url: `https://127.0.0.1:${port}/v1-k3s/readyz`, headers });
    };
    expect(await answerTo('node:secret')).toEqual({ status: 200, body: expect.stringContaining('ok') });
    const wrong = { status: 401, body: expect.stringContaining('not authorized') };
    expect(await answerTo('node:wrong')).toEqual(wrong);
    const foreign = { status: 403, body: expect.stringContaining('forbidden') };
    expect(await answerTo('server:secret')).toEqual(foreign);
  });
});

test('the supervisor of K3s answers 403 without credentials, and logs why it refuses wrong credentials', async () => {
  configure(server());
  const { log } = start('server');
  await expect.poll(log, { timeout: 60_000 }).toContain('k3s is up and running');
  const url = `https://127.0.0.1:${port}/v1-k3s/readyz`;
  expect((await exchange({ url })).status).toBe(403);
  await exchange({ url, headers: { authorization: `Basic ${btoa('node:wrong')}` } });
  await expect.poll(log).toMatch(/from 127\.0\.0\.1:\d+: invalid username\/password combination/);
  await expect.poll(log).toMatch(/Sending HTTP\/1\.1 401 response to 127\.0\.0\.1:\d+: not authorized/);
});

test.each([
  ['malformed', 'a: [\n', /level=fatal msg="yaml: line \d+: /],
  [
    'plain text',
    'plain text\n',
    /level=fatal msg="yaml: unmarshal errors:\\n {2}line 1: cannot unmarshal !!str `plain t/,
  ],
])('a config.yaml that is %s stops K3s with the error of its parser', async (_name, text, words) => {
  write('etc/rancher/k3s/config.yaml', text);
  const { exitCode, stderr } = await k3s('agent');
  expect(stderr).toMatch(words);
  expect(exitCode).toBe(1);
});

test('a label that kubelet refuses stops K3s with an error and exit code 0', async () => {
  configure({ ...server(), 'node-label': ['node-role.kubernetes.io/x=1'] });
  const { exitCode, stderr } = await k3s('server');
  expect(stderr).toContain(
    'level=error msg="Shutdown request received: \\"kubelet exited: failed to validate',
  );
  expect(exitCode).toBe(0);
});

test('a K3s that is stopped during a wait logs the reason for the wait', async () => {
  configure(server());
  write('etc/rancher/k3s/registries.yaml', 'mirrors: [not, a, map]\n');
  const { child, log } = start('server');
  await expect.poll(log, { timeout: 60_000 }).toContain('server is not ready: yaml: unmarshal errors');
  expect(log()).toContain('Using private registry config file at');
  child.kill('SIGTERM');
  await once(child, 'exit');
  expect(log()).toMatch(
    /level=fatal msg="Error: failed to retrieve agent configuration: yaml: unmarshal errors/,
  );
});

test('the error of an agent that cannot reach its server names the load balancer of the agent', async () => {
  write('token', 'secret');
  const { log } = agent('https://127.0.0.1:1');
  await expect
    .poll(log, { timeout: 60_000 })
    .toContain('failed to get CA certs: Get \\"https://127.0.0.1:6444/cacerts\\": EOF');
});

test('a server with a malformed registries.yaml does not become ready', async () => {
  configure(server());
  write('etc/rancher/k3s/registries.yaml', 'mirrors: [not, a, map]\n');
  const { log } = start('server');
  await expect
    .poll(log, { timeout: 60_000 })
    .toContain('Waiting to retrieve agent configuration; server is not ready: yaml:');
  await sleep(500);
  expect(log()).not.toContain('up and running');
  const { stderr } = await kubectl('get', '--raw', '/readyz');
  expect(stderr).toContain('ServiceUnavailable');
});

describe('a credential provider', () => {
  const provider = {
    name: 'plugin',
    matchImages: ['myteam.azurecr.io'],
    defaultCacheDuration: '10m',
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
  };

  function configureProvider(entry: object): void {
    const kind = { apiVersion: 'kubelet.config.k8s.io/v1', kind: 'CredentialProviderConfig' };
    write('var/lib/rancher/credentialprovider/config.yaml', stringify({ ...kind, providers: [entry] }));
  }

  test.each([
    ['plugin', { ...provider, name: 'other' }, /plugin binary executable {2}did not exist/],
    [
      'default duration',
      { ...provider, defaultCacheDuration: undefined },
      /defaultCacheDuration: Required value/,
    ],
  ])('stops K3s if the %s is missing', async (_, entry, message) => {
    configure(server());
    configureProvider(entry);
    write('var/lib/rancher/credentialprovider/bin/plugin', '#!/bin/sh\n');
    const { exitCode, stderr } = await k3s('server');
    expect(stderr).toMatch(/^E\d{4} \S+ +\d+ run\.go:72\] "Failed to register CRI auth plugins" err="/m);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(1);
  });

  test('lets K3s start if its configuration is complete, or if the folder of plugins is missing', async () => {
    configure(server());
    configureProvider({ ...provider, name: 'other' });
    const first = start('server');
    await expect.poll(first.log, { timeout: 60_000 }).toContain('k3s is up and running');
    first.child.kill('SIGTERM');
    await once(first.child, 'exit');
    configureProvider(provider);
    write('var/lib/rancher/credentialprovider/bin/plugin', '#!/bin/sh\n');
    chmodSync(join(root, 'var/lib/rancher/credentialprovider/bin/plugin'), 0o755);
    await expect.poll(start('server').log, { timeout: 60_000 }).toContain('k3s is up and running');
  });
});

describe('kubectl', () => {
  test('reports a missing object, an unknown resource type, an unknown flag and an unreachable server', async () => {
    configure(server());
    const { child, log } = start('server');
    await expect.poll(log, { timeout: 60_000 }).toContain('k3s is up and running');
    expect((await kubectl('get', 'node', 'absent')).stderr).toBe(
      'Error from server (NotFound): nodes "absent" not found\n',
    );
    expect((await kubectl('get', 'things.example.com', 'x')).stderr).toBe(
      'error: the server doesn\'t have a resource type "things"\n',
    );
    expect((await kubectl('get', 'node', '--frobnicate')).stderr).toContain(
      'error: unknown flag: --frobnicate',
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { exitCode, stderr } = await kubectl('get', 'node', 'absent');
    expect(stderr).toBe(
      `The connection to the server 127.0.0.1:${port} was refused - did you specify the right host or port?\n`,
    );
    expect(exitCode).toBe(1);
  });
});

/** Asks the server to rotate its token with these credentials; returns the status. */
async function rotation(credentials: string, newToken: string): Promise<number> {
  const headers = { authorization: `Basic ${btoa(credentials)}` };
  const url = `https://127.0.0.1:${port}/v1-k3s/token`;
  return (await exchange({ url, method: 'PUT', headers, body: JSON.stringify({ newToken }) })).status;
}

function server(): object {
  write('token', 'secret');
  return { 'https-listen-port': port, 'token-file': join(root, 'token'), 'node-name': 'vm-server' };
}

/** Starts an agent that joins the server at this URL, with its own data directory and node name. */
function agent(url: string) {
  const config = { server: url, 'token-file': join(root, 'token'), 'node-name': 'vm-agent' };
  write('agent.yaml', stringify({ ...config, 'data-dir': join(root, 'agent') }));
  return start('agent', '--config', join(root, 'agent.yaml'));
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function configure(config: object): void {
  write('etc/rancher/k3s/config.yaml', stringify(config));
}

function write(path: string, content: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content, { mode: 0o600 });
}

function k3s(...args: readonly string[]) {
  return runProgram(join(root, 'usr/local/bin/k3s'), args, { PATH: '/usr/bin:/bin' });
}

function kubectl(...args: readonly string[]) {
  return k3s('kubectl', '--kubeconfig', join(root, 'etc/rancher/k3s/k3s.yaml'), ...args);
}

function start(...args: readonly string[]) {
  const child = spawn(join(root, 'usr/local/bin/k3s'), args, { env: { PATH: '/usr/bin:/bin' } });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const started = { child, log: () => text };
  running.push(started);
  return started;
}

async function eventually<Result extends { readonly exitCode: number }>(
  run: () => Promise<Result>,
): Promise<Result> {
  for (const end = Date.now() + 60_000; ; await sleep(100)) {
    const result = await run();
    if (result.exitCode === 0 || Date.now() > end) {
      return result;
    }
  }
}
