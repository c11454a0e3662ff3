import { expect, test } from 'vitest';
import { endOf, source, startScript } from './process.ts';

/** Text that clears the screen, reverses the text direction, and begins a line that looks like Slipway's. */
const evil = String.raw`x\u001b[2J\u202e\nslipway: all is fine`;
const acting = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u;

/** Runs the entry point with code that throws outside all awaited promises; returns the exit code and the outputs. */
async function ended(thrower: string, variables: Readonly<Record<string, string>> = {}) {
  const script = `
    process.argv.splice(1, 1, 'slipway', 'doctor', '--help');
    ${thrower}
    await import(${JSON.stringify(source('launcher/launch.ts'))});
    setTimeout(() => {}, 5_000);`;
  return endOf(startScript(script, ['ignore', 'ignore', 'pipe'], variables));
}

const evilError = `Object.assign(new TypeError("${evil}"), { token: 'hunter2' })`;

test.each([
  ['exception', `setImmediate(() => setImmediate(() => { throw ${evilError}; }));`],
  ['rejection', `setImmediate(() => setImmediate(() => { void Promise.reject(${evilError}); }));`],
])('an uncaught %s is reported in two lines without control characters or secrets', async (_, thrower) => {
  const { code, stderr } = await ended(thrower);
  expect(code).toBe(1);
  expect(stderr).not.toMatch(acting);
  expect(stderr).not.toContain('hunter2');
  const [told, where, end, ...more] = stderr.split('\n');
  expect(told).toMatch(
    /^slipway: InternalError: TypeError: x.*This is a defect in Slipway; please report it\.$/,
  );
  expect(where).toMatch(/^slipway: it was thrown at /);
  expect([end, ...more]).toEqual(['']);
});

test('an uncaught error is logged with priority 3 and its origin with priority 7', async () => {
  const { stderr } = await ended(`setImmediate(() => { throw new Error('x'); });`, { JOURNAL_STREAM: '1:1' });
  expect(stderr).toMatch(/^<3>slipway: InternalError: Error: x.*\n<7>slipway: it was thrown at .*\n$/);
});

test('an uncaught value that is not an Error is reported', async () => {
  const { code, stderr } = await ended(`setImmediate(() => { throw 'x'; });`);
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('InternalError: x. This is'),
  });
});
