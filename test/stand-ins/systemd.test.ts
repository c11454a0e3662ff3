/** Tests that the service manager of the lab and its command-line stand-ins behave like systemd 252. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LabNode } from '../lab/node.ts';
import { Processes } from '../lab/processes.ts';
import { parseUnitFile, splitCommand, timeSpan } from '../lab/systemd/unit-file.ts';

describe('the parser of unit files', () => {
  test('warns of an unknown directive with its line', () => {
    const { warnings } = parseUnitFile('/x/a.service', '[Service]\nType=notify\nTpye=simple\n');
    expect(warnings).toEqual(["/x/a.service:3: Unknown key name 'Tpye' in section 'Service', ignoring."]);
  });

  test('joins continued lines, skips comments inside them, and clears a list at an empty value', () => {
    const text =
      '[Service]\nExecStart=/bin/a \\\n# comment\n  b\nEnvironment=A=1\nEnvironment=\nEnvironment=B=%N\n';
    const file = parseUnitFile('/x/a.service', text);
    expect(file.last('Service', 'ExecStart')).toBe('/bin/a b');
    expect(file.all('Service', 'Environment')).toEqual(['B=a']);
  });

  test.each([
    ['/bin/x "two words" \'$$5\'', ['/bin/x', 'two words', '$5']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd's variables, not JavaScript's.
    ['/bin/x ${A} $A pre${A}', ['/bin/x', 'one two', 'one', 'two', 'preone two']],
    ['/bin/x "a\\"b" c\\x20d', ['/bin/x', 'a"b', 'c d']],
  ])('splits a command into words: %s', (line, words) => {
    expect(splitCommand(line, { A: 'one two' })).toEqual(words);
  });

  test.each([
    ['5s', 5_000],
    ['100ms', 100],
    ['1min 30s', 90_000],
    ['2', 2_000],
    ['infinity', 0],
  ])('reads the time span %s', (text, milliseconds) => {
    expect(timeSpan(text)).toBe(milliseconds);
  });
});

describe('systemctl', () => {
  let node: LabNode;
  let directory: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'slipway-systemd-'));
    node = new LabNode({
      name: 'server',
      root: join(directory, 'root'),
      socket: join(directory, 'socket'),
      executable: ['/bin/false'],
      files: [],
      processes: new Processes(),
    });
    await node.prepare();
  });
  afterEach(async () => {
    await node.stop();
    rmSync(directory, { recursive: true });
  });

  test('refuses unknown units, options and verbs with the errors of systemd', async () => {
    expect(await systemctl('start', 'nothing')).toMatchObject({
      exitCode: 5,
      stderr: 'Failed to start nothing.service: Unit nothing.service not found.\n',
    });
    expect(await systemctl('--frobnicate')).toMatchObject({
      exitCode: 1,
      stderr: "systemctl: unrecognized option '--frobnicate'\n",
    });
    expect((await systemctl('frobnicate')).stderr).toBe('Unknown command verb frobnicate.\n');
    expect((await node.run('journalctl', '--frobnicate')).exitCode).toBe(1);
  });

  test('shows a notify service as activating, with a job, until READY=1', async () => {
    const goes = join(node.root, 'goes');
    const readyOnceItGoes = `until [ -e ${goes} ]; do sleep 0.05; done; systemd-notify --ready --status=fine`;
    unit('Type=notify\nTimeoutStartSec=0', `${readyOnceItGoes}; sleep 60`);
    await systemctl('start', '--no-block', 'it');
    expect(await shown('ActiveState', 'SubState', 'Job')).toMatchObject({
      ActiveState: 'activating',
      SubState: 'start',
    });
    expect(Number((await shown('Job')).Job)).toBeGreaterThan(0);
    const started = systemctl('start', 'it');
    writeFileSync(goes, '');
    expect((await started).exitCode).toBe(0);
    expect(await shown('ActiveState', 'StatusText', 'Job')).toMatchObject({
      ActiveState: 'active',
      StatusText: 'fine',
      Job: '',
    });
  });

  test('gives each start an invocation id, and a runtime directory until the stop', async () => {
    const seen = join(node.root, 'run/it/invocation');
    unit('RuntimeDirectory=it', `echo $$INVOCATION_ID > ${seen}; exec sleep 60`);
    await systemctl('start', 'it');
    const first = await shown('InvocationID');
    await expect.poll(() => node.read('run/it/invocation')?.trim()).toBe(first.InvocationID);
    await systemctl('restart', 'it');
    await expect.poll(() => node.read('run/it/invocation')?.trim()).not.toBe(first.InvocationID);
    await systemctl('stop', 'it');
    expect(node.read('run/it/invocation')).toBeUndefined();
  });

  test('restarts a failed service, counts restarts, and keeps a journal per invocation', async () => {
    unit('Restart=always\nRestartSec=100ms', 'echo life $$INVOCATION_ID; sleep 0.2; exit 3');
    await systemctl('start', 'it');
    await expect
      .poll(async () => Number((await shown('NRestarts')).NRestarts), { timeout: 60_000 })
      .toBeGreaterThan(0);
    expect(await shown('ExecMainStatus')).toEqual({ ExecMainStatus: '3' });
    const { stdout } = await node.run('journalctl', '-u', 'it', '-o', 'cat', '--no-pager');
    expect(stdout).toContain('it.service: Main process exited, code=exited, status=3/n/a');
    const [, invocation = ''] = /life (\w+)/.exec(stdout) ?? [];
    const only = await node.run(
      'journalctl',
      `_SYSTEMD_INVOCATION_ID=${invocation}`,
      '-o',
      'cat',
      '--no-pager',
    );
    expect(only.stdout).toBe(`life ${invocation}\n`);
  });

  test('refuses a start whose assertion fails, without a restart or a failure', async () => {
    const needed = join(node.root, 'needed');
    unit('Restart=always\nRestartSec=100ms', 'sleep 60', `AssertPathExists=${needed}`);
    expect(await systemctl('start', 'it')).toMatchObject({
      exitCode: 1,
      stderr: 'Assertion failed on job for it.service.\n',
    });
    expect((await systemctl('start', '--no-block', 'it')).exitCode).toBe(0);
    expect(await shown('ActiveState', 'Result', 'NRestarts', 'InvocationID')).toEqual({
      ActiveState: 'inactive',
      Result: 'success',
      NRestarts: '0',
      InvocationID: '',
    });
    writeFileSync(needed, '');
    expect((await systemctl('start', 'it')).exitCode).toBe(0);
  });

  test('shows that an enabled unit needs a daemon-reload after a change of its file', async () => {
    unit('Type=simple', 'sleep 60');
    const { stderr } = await systemctl('enable', 'it');
    expect(stderr).toMatch(
      /^Created symlink .*multi-user\.target\.wants\/it\.service → .*\/it\.service\.\n$/,
    );
    expect(await shown('UnitFileState', 'NeedDaemonReload')).toEqual({
      UnitFileState: 'enabled',
      NeedDaemonReload: 'no',
    });
    await sleep(20);
    unit('Type=exec', 'sleep 60');
    expect(await shown('NeedDaemonReload')).toEqual({ NeedDaemonReload: 'yes' });
    await systemctl('daemon-reload');
    expect(await shown('NeedDaemonReload')).toEqual({ NeedDaemonReload: 'no' });
  });

  test('shows several units in order, even unknown units, and stops a unit with disable --now', async () => {
    unit('Type=simple', 'sleep 60');
    await systemctl('enable', '--now', 'it');
    const show = () => systemctl('show', 'nothing.timer', 'it.service', '-p', 'LoadState,ActiveState');
    const nothing = 'LoadState=not-found\nActiveState=inactive\n';
    expect((await show()).stdout).toBe(`${nothing}\nLoadState=loaded\nActiveState=active\n`);
    expect((await systemctl('disable', '--now', 'it.service')).exitCode).toBe(0);
    expect(await shown('ActiveState', 'UnitFileState')).toEqual({
      ActiveState: 'inactive',
      UnitFileState: 'disabled',
    });
    expect(await systemctl('disable', '--now', 'nothing.timer')).toMatchObject({ exitCode: 1 });
  });

  function unit(directives: string, script: string, head = ''): void {
    const body = `[Unit]\n${head}\n[Install]\nWantedBy=multi-user.target\n[Service]\n${directives}\nExecStart=/bin/sh -c "${script}"\n`;
    node.write('etc/systemd/system/it.service', body);
  }

  function systemctl(...args: readonly string[]) {
    return node.run('systemctl', ...args);
  }

  async function shown(...names: readonly string[]) {
    const { '': _, ...properties } = await node.show('it', ...names);
    return properties;
  }
});
