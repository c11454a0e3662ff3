import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

const login = 'builder:hunter2:with:colons';

/**
 * Runs a proxy that answers requests without the login with 407, requests with the login with 200, and tunnels with the
 * login with 502. Returns the URL of the proxy.
 */
async function serveProxy(): Promise<string> {
  const isRight = (shown: string | undefined) => shown === `Basic ${Buffer.from(login).toString('base64')}`;
  const server = createServer((request, response) => {
    response.writeHead(isRight(request.headers['proxy-authorization']) ? 200 : 407).end('answer');
  });
  server.on('connect', ({ headers }, socket) => {
    socket.end(`HTTP/1.1 ${isRight(headers['proxy-authorization']) ? 502 : 407} No\r\n\r\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the proxy has no port');
  }
  return `http://127.0.0.1:${address.port}`;
}

async function credentialsFile(content: string, mode = 0o600): Promise<string> {
  const path = `${await temporaryFolder()}/proxy`;
  await writeFile(path, content, { mode });
  await chmod(path, mode);
  return path;
}

async function failureOf(scheme: string, proxyCredentialsFile?: string) {
  const host = nodeHost({ proxy: await serveProxy(), proxyCredentialsFile });
  const { reason, message } = await host.get({ url: `${scheme}://vault.test/` }).then(
    ({ status }) => ({ reason: status, message: '' }),
    (thrown) => thrown,
  );
  expect(message).not.toMatch(/hunter2|aHVudGVy|Basic/);
  return reason;
}

test.each(['http', 'https'])(
  'a 407 from the proxy is reported as ProxyUnauthorized, whether the login is missing or wrong: %s',
  async (scheme) => {
    expect(await failureOf(scheme)).toBe('ProxyUnauthorized');
    expect(await failureOf(scheme, await credentialsFile('builder:other\n'))).toBe('ProxyUnauthorized');
  },
);

test('commands receive the proxy login in their environment', async () => {
  const file = await credentialsFile(`${login}\n`);
  const host = nodeHost({ proxy: 'http://proxy.test:3128', proxyCredentialsFile: file });
  const { stdout } = await host.query({ file: 'printenv', args: ['HTTPS_PROXY'] });
  expect(stdout).toBe('http://builder:hunter2%3Awith%3Acolons@proxy.test:3128\n');
});

test('requests send the login from proxyCredentialsFile to the proxy', async () => {
  expect(await failureOf('http', await credentialsFile(`${login}\n`))).toBe(200);
  // The proxy accepts the login, then refuses the tunnel with 502.
  expect(await failureOf('https', await credentialsFile(login))).toBe('Unreachable');
});

test.each([
  ['is readable by others', `${login}\n`, 0o604, 'SecretExposed'],
  ['is writable by its group', `${login}\n`, 0o620, 'SecretExposed'],
  ['has no password', 'builder\n', 0o600, 'InvalidSettings'],
  ['has two lines', `${login}\n${login}\n`, 0o600, 'InvalidSettings'],
  ['is empty', '', 0o600, 'InvalidSettings'],
])('a proxy login file that %s is refused, and its text is not shown', async (_, content, mode, reason) => {
  expect(await failureOf('http', await credentialsFile(content, mode))).toBe(reason);
});

test.skipIf(process.getuid?.() !== 0)(
  'a proxy login file that another user owns is refused (needs root, for chown)',
  async () => {
    const path = await credentialsFile(login);
    const { chown } = await import('node:fs/promises');
    await chown(path, 1000, 1000);
    expect(await failureOf('https', path)).toBe('SecretExposed');
  },
);

test('a server that is reached without the proxy does not receive the proxy login', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers['proxy-authorization']);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const host = nodeHost({ proxy: await serveProxy(), proxyCredentialsFile: await credentialsFile(login) });
  await host.get({ url: `http://127.0.0.1:${port}/` });
  expect(seen).toEqual([undefined]);
});
