import { expect, test } from 'vitest';
import { Routes } from '../../src/agent/host/http/http-agents.ts';
import { bring } from '../integration/host/bring.ts';
import { temporaryFolder } from '../integration/host/folder.ts';
import { serveHttp } from '../integration/host/servers.ts';

// A regular expression that backtracks over one of these lines would take minutes, and the test would time out.
test.each([
  ['blanks within the name', `${' x'.repeat(10)}${' '.repeat(3_000_000)}x`],
  ['blanks without a name', ' '.repeat(3_000_000)],
  ['many words', ' k3s'.repeat(750_000)],
])('a checksum line of 3 MB does not stall Slipway: %s', async (_, name) => {
  const port = await serveHttp((_request, response) => void response.end(`${'0'.repeat(64)}  ${name}\n`));
  const wanted = {
    url: `http://127.0.0.1:${port}/k3s`,
    checksum: { url: `http://127.0.0.1:${port}/sums`, name: 'k3s' },
    path: `${await temporaryFolder()}/k3s`,
    mode: 0o755,
  };
  const tools = { routes: new Routes({}) };
  await expect(bring(wanted, tools)).rejects.toMatchObject({ reason: 'ChecksumMissing' });
});
