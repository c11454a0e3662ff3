import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandLine } from '../../../packaging/command-line.ts';
import { manPage } from '../../../packaging/man-page.ts';

const page = manPage({ version: '1.2.3', date: new Date('2026-11-21T12:00:00Z') });

test('the man page has an entry for every visible command and option', () => {
  const entries = [...page.matchAll(/^\.B (.+)$/gm)].map(([, term = '']) => term.replaceAll('\\-', '-'));
  const commands = commandLine();
  expect(commands.length).toBeGreaterThan(5);
  for (const { name, options } of commands) {
    expect(entries, name).toContain(name);
    for (const { flags } of options) {
      expect(entries.filter((entry) => entry === flags)).toEqual([flags]);
    }
  }
  expect(entries).not.toContain('stamp');
});

test('the man page lists every exit code that the help of a command names', () => {
  const told = commandLine().flatMap(({ description }) => [...description.matchAll(/(\d): /g)]);
  const [, status = ''] = page.split('.SH "EXIT STATUS"');
  for (const [, code] of told) {
    expect(status).toContain(`.B ${code}\n`);
  }
});

test('groff renders the man page without a warning', ({ skip }) => {
  skip(spawnSync('groff', ['--version']).error !== undefined, 'needs groff');
  const options = ['-ww', '-man', '-Tutf8', '-rLL=100n'];
  const ended = spawnSync('groff', options, { input: page, encoding: 'utf8' });
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  expect(ended.stdout).toContain('slipway 1.2.3');
});
