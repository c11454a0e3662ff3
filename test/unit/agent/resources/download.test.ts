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

/** The executable `name` at a version; a file holds the name of its own. */
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

/** A release server, and passes of one process. */
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

describe('while it is fetched', () => {
  test('a pass goes on; what needs it waits', async () => {
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

  test('its condition says what is fetched and since when, and is never overdue', async () => {
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

  test('a check that can only look sees it', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    expect(await executable('v1').check(host)).toMatchObject({ state: 'Waiting', reason: 'InProgress' });
    expect(await executable('v2').check(host)).toMatchObject({ state: 'Drifted' });
  });

  test('an older one works meanwhile', async () => {
    const { host, pass } = setUp({ '/bin/tool': { content: 'v1', mode: 0o755 } });
    for (let passes = 0; passes < 2; passes += 1) {
      expect(await pass(executable('v2'), dependant)).toEqual(['Waiting InProgress', 'InSync']);
    }
    expect(host.files.text('/bin/tool')).toBe('v1');
  });

  test('another is fetched beside it', async () => {
    const { host, pass } = setUp();
    const plan = [executable('v1'), executable('v9', 'second')];
    expect(await pass(...plan)).toEqual(['Waiting InProgress', 'Waiting InProgress']);
    host.advance(10 * minute);
    expect(await pass(...plan)).toEqual(['Changed', 'Changed']);
  });

  test('a dry run shows what is left to be done', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    const dry = recordingHost(host);
    const outcomes = await reconcile([executable('v1')], { host: dry, attempts: new Map(), random: 0.5 });
    expect(outcomes.map(said)).toEqual(['Recorded']);
    expect(dry.journal).toMatchObject([{ kind: 'download', url: 'http://m/v1/tool', path: '/bin/tool' }]);
  });

  test('a clock that is set changes nothing', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    host.setClock(host.now() - 24 * 60 * minute);
    expect(await pass(executable('v1'))).toEqual(['Waiting InProgress']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Changed']);
  });
});

describe('a failure', () => {
  test('is paced, counted and reported as one of a remedy', async () => {
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

  test('that a person ends is reported at once, and not while it is fetched for the first time', async () => {
    const { host, pass } = setUp();
    host.onDownload(/tool$/, new NodeError('ChecksumMissing', 'no line', { endedBy: 'person' }));
    expect(await pass(executable('v1'))).toEqual(['Waiting InProgress']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Failed ChecksumMissing']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['Failed ChecksumMissing']);
    expect(host.journal).toHaveLength(2);
  });

  test('is over with the first success', async () => {
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

describe('what is wanted changes while it is fetched:', () => {
  test('to another version, which is fetched instead', async () => {
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

  test('back to what is installed, which stays', async () => {
    const { host, pass } = setUp({ '/bin/tool': { content: 'v1', mode: 0o755 } });
    await pass(executable('v2'));
    expect(await pass(executable('v1'))).toEqual(['InSync']);
    host.advance(10 * minute);
    expect(await pass(executable('v1'))).toEqual(['InSync']);
    expect(host.files.text('/bin/tool')).toBe('v1');
  });

  test('to nothing, as it was installed by hand', async () => {
    const { host, pass } = setUp();
    await pass(executable('v1'));
    host.files.write('/bin/tool', 'v1', 0o755);
    expect(await pass(executable('v1'))).toEqual(['InSync']);
  });

  test('to nothing that may be installed, for the check no longer allows it', async () => {
    const { host, pass } = setUp({ '/bin/tool': { content: 'v1', mode: 0o755 } });
    await pass(executable('v2'));
    host.advance(10 * minute);
    const refused = new NodeError('VersionDrift', 'not unasked', { endedBy: 'person', blocks: false });
    const held = { ...executable('v2'), check: () => Promise.reject(refused) };
    expect(await pass(held)).toEqual(['Failed VersionDrift']);
    expect(host.files.text('/bin/tool')).toBe('v1');
  });
});

describe('a process that dies while it fetches', () => {
  test('leaves a trace that keeps no other from fetching it', async () => {
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

  test('does no harm, whatever mutation it dies before', async () => {
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

test('a fetched file that was exchanged is not put in place', async () => {
  const { host, pass } = setUp();
  await pass(executable('v1'));
  host.files.write('/bin/.tool.slipway-part', 'evil', 0o600);
  host.advance(10 * minute);
  expect(await pass(executable('v1'))).toEqual(['Waiting DownloadFailed']);
  expect(host.files.text('/bin/tool')).toBeUndefined();
});
