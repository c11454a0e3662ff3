import { expect, test } from 'vitest';
import { commandLine } from '../../../../../src/agent/engine/command-line.ts';
import { failedOutput } from '../../../../../src/agent/engine/command-output.ts';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { commandFailed, commandTimedOut } from '../../../../../src/agent/host/process/command-failed.ts';

const flux = {
  file: 'flux',
  args: ['bootstrap', 'git', '--path=a b'],
  env: { TOKEN: new Secret('abc'), HOME: '/r' },
};
const ended = { exitCode: 2, stdout: '', stderr: '' };

test('commandLine shows a command as an operator would type it, without its secrets', () => {
  expect(commandLine(flux)).toBe("TOKEN=‹redacted› HOME=/r flux bootstrap git '--path=a b'");
  expect(commandLine({ file: 'echo', args: ["it's", ''] })).toBe("echo 'it'\\''s' ''");
});

test.each([
  [{ stderr: 'first\nbad abc\n', stdout: 'out' }, 'It wrote: first\nbad ‹redacted›'],
  [{ stderr: '', stdout: 'said abc abc' }, 'It wrote: said ‹redacted› ‹redacted›'],
  [{ stderr: '' }, 'It wrote nothing.'],
])('commandFailed quotes stderr, or stdout if stderr is empty, without secrets: %j', (output, quoted) => {
  const error = commandFailed(flux, { ...ended, ...output });
  expect(error.reason).toBe('CommandFailed');
  expect(error.message).toContain(`ended with exit code 2. ${quoted}`);
});

test('commandFailed quotes only the last ten lines', () => {
  const stderr = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n');
  const { message } = commandFailed(flux, { ...ended, stderr });
  expect(message).toContain('It wrote: line 20\n');
});

test('failedOutput returns the whole output of a failed command without secrets', () => {
  const stderr = ['first abc', ...Array.from({ length: 30 }, (_, n) => `line ${n}`)].join('\n');
  const expected = stderr.replace('abc', '‹redacted›');
  expect(failedOutput(commandFailed(flux, { ...ended, stderr }))).toBe(expected);
  expect(failedOutput(commandTimedOut(flux, { ...ended, stderr }))).toBe(expected);
  expect(failedOutput(commandFailed(flux, { ...ended, exitCode: 127 }))).toBeUndefined();
  expect(failedOutput('not an error')).toBeUndefined();
});

test.each([
  [{ stderr: 'waiting with abc' }, 'It wrote: waiting with ‹redacted›'],
  [{}, 'Run it by hand to see what it waits for.'],
])('commandTimedOut names the time limit, and quotes the output: %j', (output, quoted) => {
  const error = commandTimedOut({ ...flux, timeout: 90_000 }, { ...ended, ...output });
  expect(error).toMatchObject({ reason: 'CommandTimedOut', endedBy: 'time' });
  expect(error.message).toContain(`did not end within 90 s and was stopped. ${quoted}`);
  expect(commandTimedOut(flux, ended).message).toContain('within 30 s');
});

test('commandFailed ignores an empty secret when it redacts the output', () => {
  const command = { ...flux, env: { TOKEN: new Secret('') } };
  expect(commandFailed(command, { ...ended, stderr: 'plain' }).message).toMatch(/plain$/);
});

test('commandFailed reports exit code 127 as CommandNotFound', () => {
  expect(commandFailed(flux, { ...ended, exitCode: 127 }).reason).toBe('CommandNotFound');
});
