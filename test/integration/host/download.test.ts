import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Download } from '../../../src/agent/engine/host.ts';
import { Routes } from '../../../src/agent/host/http/http-agents.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { bring, bringBy } from './bring.ts';
import { certificates } from './certificates.ts';
import { temporaryFolder } from './folder.ts';
import { serveHttp, serveHttps } from './servers.ts';

const content = Buffer.alloc(300_000, 'k3s ');
const tools = { routes: new Routes({}) };

/** A handler that answers a request for a file; `part` is the path of the client's partial file. */
type Answer = (request: IncomingMessage, response: ServerResponse, part: string) => void;

/**
 * Serves a release: the checksums at `/sums`, and the answers of `file` at every other path. Resolves to the download,
 * its root, the server's port, and the Range headers of the requests that `file` has answered (`asked`).
 */
async function release(file: Answer, body: Buffer = content) {
  const root = await temporaryFolder();
  const asked: (string | undefined)[] = [];
  const sums = `${'0'.repeat(64)}  k3s-arm64\n${sha256(body)} *k3s\n`;
  const port = await serveHttp((request, response) => {
    if (request.url === '/sums') {
      return void response.end(sums);
    }
    asked.push(request.headers.range);
    file(request, response, `${root}/bin/.k3s.slipway-part`);
  });
  const wanted: Download = {
    url: `http://127.0.0.1:${port}/k3s`,
    checksum: { url: `http://127.0.0.1:${port}/sums`, name: 'k3s' },
    path: `${root}/bin/k3s`,
    mode: 0o755,
  };
  return { wanted, asked, root, port };
}

/**
 * Returns a handler that answers like a release server, with ranges and an ETag. If an answer starts at the beginning
 * of the file and the file is longer than `cut` bytes, the handler breaks the connection after `cut` bytes.
 */
function ranged({
  etag = '"v1"',
  cut = content.length,
  body = content,
}: {
  etag?: string;
  cut?: number;
  body?: Buffer;
} = {}): Answer {
  return (request, response, part) => {
    const start = rangeStart(request, etag);
    if (start > body.length) {
      return void response.writeHead(416).end();
    }
    const rest = body.subarray(start);
    const range = start > 0 && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` };
    response.writeHead(start > 0 ? 206 : 200, { etag, 'content-length': rest.length, ...range });
    if (start > 0 || cut >= body.length) {
      return void response.end(rest);
    }
    void breakOff(response, rest.subarray(0, cut), part);
  };
}

function rangeStart({ headers }: IncomingMessage, etag: string): number {
  const [, start = '0'] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  return headers['if-range'] === etag ? Number(start) : 0;
}

/**
 * Sends the bytes, and breaks the connection once the client has written them to its partial file. If the connection
 * broke earlier, the client would drop bytes that it has read but not written.
 */
async function breakOff(response: ServerResponse, bytes: Buffer, part: string): Promise<void> {
  response.write(bytes);
  while (response.writable && (await sizeOf(part)) < bytes.length) {
    await sleep(5);
  }
  response.socket?.destroy();
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

test('a download installs a verified file with its mode, and leaves no other file', async () => {
  const { wanted, root } = await release(ranged());
  await bring(wanted, tools);
  expect((await readFile(wanted.path)).equals(content)).toBe(true);
  expect((await stat(wanted.path)).mode & 0o7777).toBe(0o755);
  expect(await readdir(`${root}/bin`)).toEqual(['k3s']);
});

test('a download through the Host installs the file', async () => {
  const { wanted } = await release(ranged());
  await bringBy(nodeHost(), wanted);
  expect((await readFile(wanted.path)).equals(content)).toBe(true);
});

describe('a broken transfer', () => {
  test('is reported as DownloadFailed at once, and the next attempt fetches only the rest', async () => {
    const { wanted, asked, root } = await release(ranged({ cut: 100_000 }));
    await expect(bring(wanted, tools)).rejects.toMatchObject({
      reason: 'DownloadFailed',
      endedBy: 'time',
      message: expect.stringContaining('broke off'),
    });
    expect(await readdir(`${root}/bin`)).toEqual(['.k3s.slipway-part', '.k3s.slipway-part.json']);
    const note = JSON.parse(await readFile(`${root}/bin/.k3s.slipway-part.json`, 'utf8'));
    expect(note).toEqual({ format: 1, url: wanted.url, validator: '"v1"' });
    await bring(wanted, tools);
    expect(asked).toEqual([undefined, 'bytes=100000-']);
    expect((await readFile(wanted.path)).equals(content)).toBe(true);
    expect(await readdir(`${root}/bin`)).toEqual(['k3s']);
  });

  test.each([
    ['continues', 'a release without format numbers', {}],
    ['continues', 'a newer release', { format: 9, mirrors: ['a'] }],
    ['starts over', 'a newer release that changed the form of the note', { format: 9, validator: ['"v1"'] }],
  ])('%s if the resume note is from %s', async (ending, _, changes) => {
    const { wanted, asked, root } = await release(ranged({ cut: 100_000 }));
    await expect(bring(wanted, tools)).rejects.toMatchObject({ reason: 'DownloadFailed' });
    const note = { url: wanted.url, validator: '"v1"', ...changes };
    await writeFile(`${root}/bin/.k3s.slipway-part.json`, JSON.stringify(note));
    await bring(wanted, tools).catch(() => undefined);
    expect(asked[1]).toBe(ending === 'continues' ? 'bytes=100000-' : undefined);
  });

  test('starts over if the file on the server has changed', async () => {
    let etag = '"v1"';
    const { wanted, asked } = await release((...exchange) =>
      ranged({ etag, cut: etag === '"v1"' ? 100_000 : content.length })(...exchange),
    );
    await expect(bring(wanted, tools)).rejects.toMatchObject({ reason: 'DownloadFailed' });
    etag = '"v2"';
    await bring(wanted, tools);
    expect(asked).toEqual([undefined, 'bytes=100000-']);
    expect((await readFile(wanted.path)).equals(content)).toBe(true);
  });

  test('starts over if the server does not support ranges', async () => {
    let first = true;
    const { wanted } = await release((_request, response, part) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': content.length });
      if (!first) {
        return void response.end(content);
      }
      first = false;
      void breakOff(response, content.subarray(0, 100_000), part);
    });
    await expect(bring(wanted, tools)).rejects.toMatchObject({ reason: 'DownloadFailed' });
    await bring(wanted, tools);
    expect((await readFile(wanted.path)).equals(content)).toBe(true);
  });

  test.each([416, 206])(
    'starts over if the server answers a range request with %i and another offset',
    async (status) => {
      let whole = false;
      const { wanted, asked } = await release((request, response, part) => {
        if (request.headers.range === undefined) {
          return ranged({ cut: whole ? content.length : 100_000 })(request, response, part);
        }
        whole = true;
        response.writeHead(status, { 'content-range': 'bytes 0-9/10' }).end('0123456789');
      });
      await expect(bring(wanted, tools)).rejects.toMatchObject({ reason: 'DownloadFailed' });
      await bring(wanted, tools);
      expect(asked).toEqual([undefined, 'bytes=100000-', undefined]);
      expect((await readFile(wanted.path)).equals(content)).toBe(true);
    },
  );

  test('is not resumed if the partial file is already complete', async () => {
    const { wanted, asked, root } = await release(ranged());
    await nodeHost().writeFile(`${root}/bin/.k3s.slipway-part`, `${content}`, { mode: 0o600 });
    await bring(wanted, tools);
    expect(asked).toEqual([]);
    expect((await stat(wanted.path)).mode & 0o7777).toBe(0o755);
  });

  test('starts over if the resume note is damaged', async () => {
    const { wanted, root } = await release(ranged());
    await nodeHost().writeFile(`${root}/bin/.k3s.slipway-part`, 'half', { mode: 0o600 });
    await nodeHost().writeFile(`${root}/bin/.k3s.slipway-part.json`, '{"url":', { mode: 0o600 });
    await bring(wanted, tools);
    expect((await readFile(wanted.path)).equals(content)).toBe(true);
  });
});

test('a stalled transfer is reported as DownloadFailed after its timeout', async () => {
  const { wanted } = await release((_request, response) => void response.writeHead(200).write('begun'));
  await expect(bring(wanted, { ...tools, stallAfter: 100 })).rejects.toMatchObject({
    reason: 'DownloadFailed',
    endedBy: 'time',
    message: expect.stringContaining('no byte came for 0.1 s'),
  });
});

test('a slow transfer is reported as DownloadFailed at its deadline, and resumed by the next attempt', async () => {
  let drips = true;
  const { wanted, asked } = await release((request, response, part) => {
    if (!drips) {
      return ranged()(request, response, part);
    }
    response.writeHead(200, { etag: '"v1"', 'content-length': content.length });
    let sent = 0;
    const drip = setInterval(() => response.write(content.subarray(sent, ++sent)), 20);
    response.on('close', () => clearInterval(drip));
  });
  await expect(bring(wanted, { ...tools, endAfter: 2_000 })).rejects.toMatchObject({
    reason: 'DownloadFailed',
    endedBy: 'time',
    message: expect.stringContaining('longer than 2 s'),
  });
  drips = false;
  await bring(wanted, tools);
  expect(asked).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
});

test('a slow checksum file is reported as DownloadFailed at the deadline of the download', async () => {
  const port = await serveHttp((_request, response) => {
    const drip = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(drip));
  });
  const { wanted } = await release(ranged());
  const checksum = { ...wanted.checksum, url: `http://127.0.0.1:${port}/sums` };
  await expect(bring({ ...wanted, checksum }, { ...tools, endAfter: 300 })).rejects.toMatchObject({
    reason: 'DownloadFailed',
    message: expect.stringContaining('longer than 0.3 s'),
  });
});

test('an endless body is reported as DownloadFailed at the size limit, and its bytes are deleted', async () => {
  const { wanted, root } = await release((_request, response) => {
    const more = () => void response.write(content, () => response.writable && setImmediate(more));
    more();
  });
  await expect(bring(wanted, { ...tools, sizeLimit: 1_000_000 })).rejects.toMatchObject({
    reason: 'DownloadFailed',
    endedBy: 'person',
    message: expect.stringContaining('larger than 1000000 bytes'),
  });
  expect((await stat(`${root}/bin/.k3s.slipway-part`)).size).toBe(0);
});

test('the bytes of an earlier attempt count towards the size limit', async () => {
  const { wanted } = await release(ranged({ cut: 200_000 }));
  const limited = { ...tools, sizeLimit: content.length - 1 };
  await expect(bring(wanted, limited)).rejects.toMatchObject({ endedBy: 'time' });
  await expect(bring(wanted, limited)).rejects.toMatchObject({ endedBy: 'person' });
});

test('a corrupt file is reported as ChecksumMismatch and deleted, and the old file stays', async () => {
  const { wanted, root } = await release(ranged({ body: Buffer.from('corrupt') }));
  await nodeHost().writeFile(wanted.path, 'old', { mode: 0o755 });
  await expect(bring(wanted, tools)).rejects.toMatchObject({
    reason: 'ChecksumMismatch',
    message: expect.stringMatching(new RegExp(`${sha256(Buffer.from('corrupt'))}.*${sha256(content)}`)),
  });
  expect(await readFile(wanted.path, 'utf8')).toBe('old');
  expect(await readdir(`${root}/bin`)).not.toContain('.k3s.slipway-part');
});

test('a missing name in the checksum file is reported as ChecksumMissing before the download', async () => {
  const { wanted, asked } = await release(ranged());
  const other = { ...wanted, checksum: { ...wanted.checksum, name: 'k3s-s390x' } };
  await expect(bring(other, tools)).rejects.toMatchObject({
    reason: 'ChecksumMissing',
    endedBy: 'person',
    message: expect.stringContaining('k3s-s390x'),
  });
  expect(asked).toEqual([]);
});

test.each([
  { status: 404, endedBy: 'person', says: /answers 404\. Check the version and the releaseUrl/ },
  { status: 503, endedBy: 'time', retry: { after: 7_000 }, says: /answers 503/ },
  { status: 429, endedBy: 'time', retry: { after: 7_000 }, says: /answers 429/ },
])(
  'the status $status is reported as DownloadFailed with endedBy $endedBy',
  async ({ status, endedBy, retry = {}, says }) => {
    const { wanted } = await release((_request, response) => {
      response.writeHead(status, { 'retry-after': '7' }).end();
    });
    await expect(bring(wanted, tools)).rejects.toMatchObject({
      reason: 'DownloadFailed',
      endedBy,
      retry,
      message: expect.stringMatching(says),
    });
  },
);

test('the Retry-After of a failed download may be a date', async () => {
  const { wanted } = await release((_request, response) => {
    response.writeHead(503, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }).end();
  });
  await expect(bring(wanted, tools)).rejects.toMatchObject({ endedBy: 'time', retry: { after: 0 } });
});

test('the Retry-After of a failed download is limited to ten minutes', async () => {
  const { wanted } = await release((_request, response) => {
    response.writeHead(503, { 'retry-after': '9'.repeat(20) }).end();
  });
  await expect(bring(wanted, tools)).rejects.toMatchObject({ endedBy: 'time', retry: { after: 600_000 } });
});

test('a refused connection is reported as Unreachable', async () => {
  const { wanted } = await release(ranged());
  const gone = { ...wanted, checksum: { url: 'http://127.0.0.1:1/sums', name: 'k3s' } };
  await expect(bring(gone, tools)).rejects.toMatchObject({ reason: 'Unreachable' });
});

describe('redirects of a download', () => {
  test('are followed', async () => {
    const { wanted } = await release((request, response, part) => {
      if (request.url !== '/k3s') {
        return ranged()(request, response, part);
      }
      response.writeHead(302, { location: '/storage/k3s' }).end();
    });
    await bring(wanted, tools);
    expect((await readFile(wanted.path)).equals(content)).toBe(true);
  });

  test('are reported as DownloadFailed if there are more than five', async () => {
    const { wanted, asked } = await release((_request, response) => {
      response.writeHead(302, { location: '/k3s' }).end();
    });
    await expect(bring(wanted, tools)).rejects.toMatchObject({
      reason: 'DownloadFailed',
      message: expect.stringContaining('more than 5 times'),
    });
    expect(asked).toHaveLength(6);
  });

  test('are refused from https to http', async () => {
    const { wanted, asked, port, root } = await release(ranged());
    const tls = certificates('127.0.0.1');
    const secure = await serveHttps((_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${port}/k3s` }).end();
    }, tls);
    await writeFile(`${root}/ca.pem`, tls.ca);
    const routes = new Routes({ caFile: `${root}/ca.pem` });
    const attempt = bring({ ...wanted, url: `https://127.0.0.1:${secure}/k3s` }, { ...tools, routes });
    await expect(attempt).rejects.toMatchObject({
      reason: 'DownloadFailed',
      message: expect.stringContaining(
        `it redirects from https to http://127.0.0.1:${port}, which is refused`,
      ),
    });
    expect(asked).toEqual([]);
  });
});

test('a file that changes between its download and its installation is not installed, but fetched again', async () => {
  const { wanted, root, asked } = await release(ranged());
  const digest = await nodeHost().download(wanted);
  expect(await readdir(`${root}/bin`)).not.toContain('k3s');
  await writeFile(`${root}/bin/.k3s.slipway-part`, 'changed');
  await expect(nodeHost().install(wanted, digest)).rejects.toMatchObject({
    ...{ reason: 'DownloadFailed', endedBy: 'time' },
    message: expect.stringContaining('what was fetched has gone or was changed'),
  });
  expect(await readdir(`${root}/bin`)).not.toContain('k3s');
  await expect(bringBy(nodeHost(), wanted)).rejects.toMatchObject({ reason: 'ChecksumMismatch' });
  await bringBy(nodeHost(), wanted);
  expect((await readFile(wanted.path)).equals(content)).toBe(true);
  expect(asked).toHaveLength(3);
});

describe('an existing file', () => {
  test('is not fetched again if its digest is correct, and gets the wanted mode', async () => {
    const { wanted, asked } = await release(ranged());
    await bring(wanted, tools);
    await chmod(wanted.path, 0o644);
    const before = asked.length;
    await bring(wanted, tools);
    expect(asked).toHaveLength(before);
    expect((await stat(wanted.path)).mode & 0o7777).toBe(0o755);
  });

  test.each([
    ['empty', 0],
    ['truncated', 1_000],
  ])('is replaced if it is %s', async (_, size) => {
    const { wanted } = await release(ranged());
    await nodeHost().writeFile(wanted.path, 'x'.repeat(size), { mode: 0o755 });
    await bring(wanted, tools);
    expect((await readFile(wanted.path)).equals(content)).toBe(true);
  });
});

describe('an archive', () => {
  test('is deleted after the wanted member is unpacked', async () => {
    const archive = await archived('flux', 'the flux program');
    const { wanted, root } = await release(ranged({ body: archive }), archive);
    await bring({ ...wanted, path: `${root}/bin/flux`, member: 'flux' }, tools);
    expect(await readFile(`${root}/bin/flux`, 'utf8')).toBe('the flux program');
    expect((await stat(`${root}/bin/flux`)).mode & 0o7777).toBe(0o755);
    expect(await readdir(`${root}/bin`)).toEqual(['flux']);
  });

  test('is reported as DownloadFailed if the wanted member is missing, and nothing is installed', async () => {
    const archive = await archived('flux', 'the flux program');
    const { wanted } = await release(ranged({ body: archive }), archive);
    await expect(bring({ ...wanted, member: 'helm' }, tools)).rejects.toMatchObject({
      reason: 'DownloadFailed',
      endedBy: 'person',
      message: expect.stringContaining('has no file helm'),
    });
    await expect(stat(wanted.path)).rejects.toThrow('ENOENT');
  });
});

test('an archive that does not fit on the disk when unpacked is reported as DiskFull and deleted', async ({
  skip,
}) => {
  const root = await smallDisk('1m');
  if (root === undefined) {
    return skip('mounting needs root');
  }
  const archive = await archived('flux', ' '.repeat(2_000_000));
  const { wanted } = await release(ranged({ body: archive }), archive);
  await expect(bring({ ...wanted, path: `${root}/flux`, member: 'flux' }, tools)).rejects.toMatchObject({
    reason: 'DiskFull',
    message: expect.stringContaining(`${root}/flux`),
  });
  expect(await readdir(root)).toEqual(['.flux.slipway-part.json']);
});

/** Mounts a file system of this size until the test ends; returns its path, undefined if mounting is not permitted. */
async function smallDisk(size: string): Promise<string | undefined> {
  const root = await temporaryFolder();
  const mount = { file: 'mount', args: ['-t', 'tmpfs', '-o', `size=${size}`, 'slipway-test', root] };
  if ((await nodeHost().query(mount)).exitCode !== 0) {
    return undefined;
  }
  onTestFinished(async () => void (await nodeHost().run({ file: 'umount', args: [root] })));
  return root;
}

async function archived(name: string, text: string): Promise<Buffer> {
  const folder = await temporaryFolder();
  await writeFile(`${folder}/${name}`, text);
  const { exitCode } = await nodeHost().query({
    file: 'tar',
    args: ['-czf', `${folder}/x.tgz`, '-C', folder, name],
  });
  expect(exitCode).toBe(0);
  return readFile(`${folder}/x.tgz`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
