import { spawn } from 'node:child_process';
import { chmod, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodePaths } from '../../src/agent/paths.ts';
import { issue, makeAuthority } from '../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../lab/standins/k3s-kubeconfig.ts';
import { certificates } from './host/certificates.ts';
import { temporaryFolder } from './host/folder.ts';
import { serveHttps } from './host/servers.ts';

const launch = join(import.meta.dirname, '../../src/launcher/launch.ts');
const tls = certificates('k3s.example.com', '127.0.0.1');
const admin = issue(makeAuthority('k3s-client-ca'), {
  commonName: 'system:admin',
  organization: 'system:masters',
});
const own = kubeconfig({ server: 'https://127.0.0.1:6443', ca: tls.ca, ...admin });
/** Part of the admin's key as the kubeconfig has it. */
const secret = Buffer.from(admin.key).toString('base64').slice(40, 80);

interface Server {
  readonly root: string;
  slipway(
    args: readonly string[],
    options?: { readonly stdout?: number; readonly env?: NodeJS.ProcessEnv },
  ): Promise<{ readonly exitCode: number; readonly out: string; readonly error: string }>;
}

/** A server below a folder, whose port shows a certificate for k3s.example.com. */
async function aServer(settings = ''): Promise<Server> {
  const root = await temporaryFolder();
  const port = await serveHttps((_, response) => response.end(), tls);
  const files: Readonly<Record<string, string>> = {
    [nodePaths(root).k3s.kubeconfig]: own,
    [join(root, 'etc/slipway/config.yaml')]:
      `cloud: static\nrole: server\nk3s: { config: { https-listen-port: ${port} } }\n${settings}`,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o600 });
  }
  return {
    root,
    slipway: (args, options) => run([launch, 'kubeconfig', '--root', root, ...args], options),
  };
}

async function run(
  args: readonly string[],
  { stdout, env }: { readonly stdout?: number; readonly env?: NodeJS.ProcessEnv } = {},
) {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
  });
  const said = { out: '', error: '' };
  child.stdout?.on('data', (chunk) => (said.out += chunk));
  child.stderr?.on('data', (chunk) => (said.error += chunk));
  const exitCode = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return { exitCode, ...said };
}

test('slipway kubeconfig prints a kubeconfig for the given address, and says who may have it', async () => {
  const { slipway } = await aServer();
  const { exitCode, out, error } = await slipway(['--server', 'k3s.example.com']);
  expect([exitCode, out]).toEqual([0, expect.stringContaining('server: https://k3s.example.com:6443\n')]);
  expect(out).toContain(secret);
  expect(error).toContain("This is the admin's key");
  expect(error).not.toContain('tls-san');
  expect(error).not.toContain(secret);
});

test('slipway kubeconfig names the setting if the certificate of K3s is not valid for the address', async () => {
  const { slipway } = await aServer();
  const { exitCode, error } = await slipway(['--server', '203.0.113.5']);
  expect(exitCode).toBe(0);
  expect(error).toContain('Add 203.0.113.5 to the list tls-san in k3s.config');
});

test.each([
  ['its external address', 'static: { address: 10.0.0.4, externalAddress: 203.0.113.5 }\n', '203.0.113.5'],
  ['its address', 'static: { address: 10.0.0.4 }\n', '10.0.0.4'],
])('without --server, slipway kubeconfig names %s and the port of K3s', async (_, settings, address) => {
  const { slipway } = await aServer(settings);
  const { exitCode, out } = await slipway([]);
  expect(exitCode).toBe(0);
  expect(out).toMatch(new RegExp(`server: https://${address}:\\d+\n`));
  expect(out).not.toContain(`${address}:6443`);
});

test('slipway kubeconfig refuses an address with a path', async () => {
  const { slipway } = await aServer();
  const { exitCode, out, error } = await slipway(['--server', 'https://k3s.example.com/path']);
  expect([exitCode, out]).toEqual([1, '']);
  expect(error).toContain('--server: must be a host name');
});

test('slipway kubeconfig refuses to run on an agent', async () => {
  const root = await temporaryFolder();
  const ca = nodePaths(root).k3s.agentServerCa;
  await mkdir(dirname(ca), { recursive: true });
  await writeFile(ca, tls.ca);
  const { exitCode, error } = await run([launch, 'kubeconfig', '--root', root, '--server', 'a']);
  expect(exitCode).toBe(1);
  expect(error).toContain('works on a server');
});

describe('slipway kubeconfig --output', () => {
  test('writes a new file with mode 0600, and accepts the same file later', async () => {
    const { root, slipway } = await aServer();
    const path = join(root, 'admin.yaml');
    const args = ['--server', 'k3s.example.com', '--output', path];
    const first = await slipway(args);
    expect([first.exitCode, first.out]).toEqual([0, '']);
    expect(first.error).toContain(`${path} is written, with mode 0600`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toContain(secret);
    const second = await slipway(args);
    expect(second.exitCode).toBe(0);
    expect(second.error).toContain('has this content already');
    await chmod(path, 0o644);
    const open = await slipway(args);
    expect(open.exitCode).toBe(1);
    expect(open.error).toContain(`chmod 0600 ${path}`);
  });

  test('leaves another file alone', async () => {
    const { root, slipway } = await aServer();
    const path = join(root, 'other.yaml');
    await writeFile(path, 'mine');
    const { exitCode, error } = await slipway(['--server', 'k3s.example.com', '--output', path]);
    expect(exitCode).toBe(1);
    expect(error).toContain('exists and is another file');
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  test('refuses a folder in which other users may replace the file, and a missing one', async () => {
    const { root, slipway } = await aServer();
    const folder = join(root, 'shared');
    await mkdir(folder);
    await chmod(folder, 0o777);
    const shared = await slipway(['--server', 'k3s.example.com', '--output', join(folder, 'admin.yaml')]);
    expect(shared.exitCode).toBe(1);
    expect(shared.error).toContain('other users may replace the files');
    const missing = await slipway(['--server', 'k3s.example.com', '--output', join(root, 'no/admin.yaml')]);
    expect(missing.exitCode).toBe(1);
    expect(missing.error).toContain('does not exist');
  });
});

describe('the standard output of slipway kubeconfig', () => {
  async function aFile(root: string, mode: number) {
    const path = join(root, 'out.yaml');
    const file = await open(path, 'w', 0o600);
    await file.chmod(mode);
    onTestFinished(() => file.close());
    return { path, fd: file.fd, file };
  }

  test('is refused if it is a file that other users may read', async () => {
    const { root, slipway } = await aServer();
    const { path, fd } = await aFile(root, 0o644);
    const { exitCode, error } = await slipway(['--server', 'k3s.example.com'], { stdout: fd });
    expect(exitCode).toBe(1);
    expect(error).toContain('a file that other users may read');
    expect(await readFile(path, 'utf8')).toBe('');
  });

  test('is used if it is a private file', async () => {
    const { root, slipway } = await aServer();
    const { path, fd } = await aFile(root, 0o600);
    const { exitCode } = await slipway(['--server', 'k3s.example.com'], { stdout: fd });
    expect(exitCode).toBe(0);
    expect(await readFile(path, 'utf8')).toContain(secret);
  });

  test('is refused if it is the journal', async () => {
    const { root, slipway } = await aServer();
    const { path, fd, file } = await aFile(root, 0o600);
    const { dev, ino } = await file.stat();
    const env = { JOURNAL_STREAM: `${dev}:${ino}` };
    const { exitCode, error } = await slipway(['--server', 'k3s.example.com'], { stdout: fd, env });
    expect(exitCode).toBe(1);
    expect(error).toContain('standard output is the journal');
    expect(await readFile(path, 'utf8')).toBe('');
  });
});
