import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { type Attempts, reconcile } from '../../../../src/agent/engine/reconcile.ts';
import { inSync, type Outcome, type Resource } from '../../../../src/agent/engine/resource.ts';
import { recordingHost } from '../../../../src/agent/host/recording/recording-host.ts';
import { download } from '../../../../src/agent/resources/download.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const second = 1_000;
const minute = 60 * second;
const trace = '/run/slipway/tool-download.json';

/** Returns the Resource of an executable at a version; the content of the installed file is its version. */
function executable(version: string, name = 'tool'): Resource {
  const path = `/bin/${name}`;
  const base = `http://m/${version}`;
  return download({
    id: `Executable/${name}`,
    summary: `download ${name} ${version}`,
    condition: 'K3sBinary',
    installed: async (host) => (await host.readFile(path))?.content,
    wanted: version,
    trace: `/run/slipway/${name}-download.json`,
    download: { url: `${base}/${name}`, checksum: { url: `${base}/sums`, name }, path, mode: 0o755 },
  });
}

const dependant: Resource = {
  ...{ id: 'dependant', summary: 'depend', condition: 'K3sRunning', needs: ['Executable/tool'] },
  check: async () => inSync(),
};
const other: Resource = { ...dependant, id: 'other', needs: [] };

/** Returns a host with a release server, and functions that run a pass and restart the process. */
function setUp(files: Readonly<Record<string, { content: string; mode: number }>> = {}) {
  const host = memoryHost({ files });
  host.onDownload(/^http:\/\/m\//, ({ url }) => url.split('/').at(-2) ?? '');
  host.jobs.lasting = 10 * minute;
  let attempts: Attempts = new Map();
  const pass = async (...plan: readonly Resource[]) =>
    (await reconcile(plan, { host, attempts, random: 0.5 })).map(said);
  const restart = () => {
    host.restart();
    attempts = new Map();
  };
  return { host, pass, restart };
}

function said(outcome: Outcome): string {
  return 'reason' in outcome ? `${outcome.state} ${outcome.reason}` : outcome.state;
}

describe('while an executable is fetched', () => {
  test('a pass completes, and dependants of the executable wait', async () => {
    const { host, pass } = setUp();
    const plan = [executable('v1'), dependant, other];
    expect(await pass(...plan)).toEqual(['Waiting InProgress', 'Blocked', 'InSync']);
    host.advance(9 * minute);
    expect(await pass(...plan)).toEqual(['Waiting InProgress', 'Blocked', 'InSync']);
    host.advance(minute);
    expect(await pass(...plan)).toEqual(['Changed', 'InSync', 'InSync']);
    expect(await pass(...plan)).toEqual(['InSync', 'InSync', 'InSync']);
    expect(host.files.snapshot()).toEqual({ '/bin/tool': '0755 v1' });
  });

  test('the condition reports what is fetched and since when, and never becomes False', async () => {
    const { host } = setUp();
    const attempts: Attempts = new Map();
    for (let passed = 0; passed < 10; passed += 1) {
      const [outcome] = await reconcile([executable('v1')], { host, attempts, random: 0.5 });
      expect(outcome).toMatchObject({
        state: 'Waiting',
        message: 'download tool v1, since 2026-01-01T00:00:00Z',
        lookAgainAt: host.now() + 30 * second,
      });
      host.advance(minute - 1);
    }
  });

  test('a check without a remedy finds the running download', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    expect(await executable('v1').check(host)).toMatchObject({ state: 'Waiting', reason: 'InProgress' });
    expect(await executable('v2').check(host)).toMatchObject({ state: 'Drifted' });
  });

  test('dependants do not wait if an older version of the executable is installed', async () => {
    const { host, pass } = setUp({ '/bin/tool': { content: 'v1', mode: 0o755 } });
    for (let passes = 0; passes < 2; passes += 1) {
      expect(await pass(executable('v2'), dependant)).toEqual(['Waiting InProgress', 'InSync']);
    }
    expect(host.files.text('/bin/tool')).toBe('v1');
  });

  test('another executable is fetched at the same time', async () => {
    const { host, pass } = setUp();
    const plan = [executable('v1'), executable('v9', 'second')];
    expect(await pass(...plan)).toEqual(['Waiting InProgress', 'Waiting InProgress']);
    host.advance(10 * minute);
    expect(await pass(...plan)).toEqual(['Changed', 'Changed']);
  });

  test('a dry run records the download', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    const dry = recordingHost(host);
    const outcomes = await reconcile([executable('v1')], { host: dry, attempts: new Map(), random: 0.5 });
    expect(outcomes.map(said)).toEqual(['Recorded']);
    expect(dry.journal).toMatchObject([{ kind: 'download', url: 'http://m/v1/tool', path: '/bin/tool' }]);
  });

  test('a change of the clock does not affect the download', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    host.setClock(host.now() - 24 * 60 * minute);
    expect(await pass(executable('v1'))).toEqual(['Waiting InProgress']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Changed']);
  });
});

describe('a failed download', () => {
  test('is paced, counted and reported like a failed remedy', async () => {
    const { host } = setUp();
    host.jobs.lasting = second;
    host.onDownload(/tool$/, new NodeError('DownloadFailed', 'broke off'));
    const attempts: Attempts = new Map();
    const passed = async () => {
      const [outcome] = await reconcile([executable('v1')], { host, attempts, random: 0.5 });
      return outcome && 'lookAgainAt' in outcome ? outcome : expect.fail(outcome?.state);
    };
    const [begun, delays]: [string[], number[]] = [[], []];
    for (let failures = 1; failures <= 14; failures += 1) {
      begun.push(said(await passed()));
      host.advance(second);
      const { message, lookAgainAt } = await passed();
      expect(message).toBe('broke off');
      expect(host.journal).toHaveLength(failures);
      delays.push((lookAgainAt - host.now()) / second);
      host.advance(lookAgainAt - host.now());
    }
    expect(delays).toEqual([2, 4, 8, 16, 32, ...Array(9).fill(40)]);
    expect(begun).toEqual([
      'Waiting InProgress',
      ...Array(11).fill('Waiting DownloadFailed'),
      ...Array(2).fill('Failed DownloadFailed'),
    ]);
  });

  test('is still reported during the next download if only a person can end the failure', async () => {
    const { host, pass } = setUp();
    host.onDownload(/tool$/, new NodeError('ChecksumMissing', 'no line', { endedBy: 'person' }));
    expect(await pass(executable('v1'))).toEqual(['Waiting InProgress']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Failed ChecksumMissing']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Failed ChecksumMissing']);
    expect(host.journal).toHaveLength(2);
  });

  test('is no longer reported after the first success', async () => {
    const { host, pass } = setUp();
    host.onDownload(/tool$/, new NodeError('DownloadFailed', 'broke off'), true);
    await pass(executable('v1'));
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Waiting DownloadFailed']);
    host.advance(minute);
    await pass(executable('v1'));
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Changed']);
    expect(await pass(executable('v2'))).toEqual(['Waiting InProgress']);
  });
});

describe('a download that is no longer wanted', () => {
  test('is replaced by the download of the version that is wanted now', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    host.advance(minute);
    expect(await pass(executable('v2'))).toEqual(['Waiting InProgress']);
    host.advance(9 * minute);
    expect(await pass(executable('v2'))).toEqual(['Waiting InProgress']);
    host.advance(minute);
    expect(await pass(executable('v2'))).toEqual(['Changed']);
    expect(host.files.snapshot()).toEqual({ '/bin/tool': '0755 v2' });
  });

  test('is not installed if the installed version is wanted again', async () => {
    const { host, pass } = setUp({ '/bin/tool': { content: 'v1', mode: 0o755 } });
    await pass(executable('v2'));
    expect(await pass(executable('v1'))).toEqual(['InSync']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['InSync']);
    expect(host.files.text('/bin/tool')).toBe('v1');
  });

  test('is not reported if the executable was installed by hand', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    host.files.write('/bin/tool', 'v1', 0o755);
    expect(await pass(executable('v1'))).toEqual(['InSync']);
  });

  test('is not installed if the check no longer allows the change', async () => {
    const { host, pass } = setUp({ '/bin/tool': { content: 'v1', mode: 0o755 } });
    await pass(executable('v2'));
    host.advance(10 * minute);
    const refused = new NodeError('VersionDrift', 'not unasked', { endedBy: 'person', blocks: false });
    const held = { ...executable('v2'), check: () => Promise.reject(refused) };
    expect(await pass(held)).toEqual(['Failed VersionDrift']);
    expect(host.files.text('/bin/tool')).toBe('v1');
  });
});

describe('a process that dies during a download', () => {
  test('leaves a record of the download, which does not prevent the next process from downloading', async () => {
    const { host, pass, restart } = setUp();
    await pass(executable('v1'));
    restart();
    expect(host.files.stat(trace)).toBeDefined();
    expect(await host.job(trace)).toBeUndefined();
    expect(await pass(executable('v1'))).toEqual(['Waiting InProgress']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Changed']);
    expect(host.files.snapshot()).toEqual({ '/bin/tool': '0755 v1' });
  });

  test('lets the next process complete the download, no matter before which mutation it died', async () => {
    for (let mutation = 1; mutation <= 3; mutation += 1) {
      const { host, pass, restart } = setUp();
      host.crashBefore(mutation);
      const dying = async () => {
        await pass(executable('v1'));
        host.advance(10 * minute);
        await pass(executable('v1'));
      };
      await expect(dying()).rejects.toThrow(`killed before mutation ${mutation}`);
      restart();
      await pass(executable('v1'));
      host.advance(10 * minute);
      expect(await pass(executable('v1'))).toEqual(['Changed']);
      expect(host.files.snapshot()).toEqual({ '/bin/tool': '0755 v1' });
    }
  });
});

test('a fetched file that was replaced on disk is not installed', async () => {
  const { host, pass } = setUp();
  await pass(executable('v1'));
  host.files.write('/bin/.tool.slipway-part', 'evil', 0o600);
  host.advance(10 * minute);
  expect(await pass(executable('v1'))).toEqual(['Waiting DownloadFailed']);
  expect(host.files.text('/bin/tool')).toBeUndefined();
});
