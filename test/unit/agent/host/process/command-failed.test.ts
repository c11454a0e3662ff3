import { expect, test } from 'vitest';
import { commandLine } from '../../../../../src/agent/engine/command-line.ts';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { commandFailed } from '../../../../../src/agent/host/process/command-failed.ts';

const flux = {
  file: 'flux',
  args: ['bootstrap', 'git', '--path=a b'],
  env: { TOKEN: new Secret('abc'), HOME: '/r' },
};
const ended = { exitCode: 2, stdout: '', stderr: '' };

test('a command is shown as an operator would type it, without its secrets', () => {
  expect(commandLine(flux)).toBe("TOKEN=‹redacted› HOME=/r flux bootstrap git '--path=a b'");
  expect(commandLine({ file: 'echo', args: ["it's", ''] })).toBe("echo 'it'\\''s' ''");
});

test.each([
  [{ stderr: 'first\nbad abc\n', stdout: 'out' }, 'It wrote: first\nbad ‹redacted›'],
  [{ stderr: '', stdout: 'said abc abc' }, 'It wrote: said ‹redacted› ‹redacted›'],
  [{ stderr: '' }, 'It wrote nothing.'],
])('%j is quoted as: %s', (output, quoted) => {
  const error = commandFailed(flux, { ...ended, ...output });
  expect(error.reason).toBe('CommandFailed');
  expect(error.message).toContain(`ended with exit code 2. ${quoted}`);
});

test('the last ten lines are quoted', () => {
  const stderr = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n');
  const { message } = commandFailed(flux, { ...ended, stderr });
  expect(message).toContain('It wrote: line 20\n');
});

test('an empty secret redacts nothing', () => {
  const command = { ...flux, env: { TOKEN: new Secret('') } };
  expect(commandFailed(command, { ...ended, stderr: 'plain' }).message).toMatch(/plain$/);
});

test('127 is CommandNotFound', () => {
  expect(commandFailed(flux, { ...ended, exitCode: 127 }).reason).toBe('CommandNotFound');
});
