import { describe, expect, test } from 'vitest';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { heldLogin, receiptNotes } from '../../../../../src/agent/parts/registry/held-login.ts';
import { datedToken } from '../../../../lab/fake-cloud.ts';

const hour = 3_600_000;
const now = Date.UTC(2026, 0, 1);
const server = 'myteam.azurecr.io';
const user = 'user';

/** A file with this password, that notes the receipt of `noted` at a time, and was written at another. */
function file(password: string, { receivedAt = now, noted = password, modifiedAt = now } = {}) {
  const login = { username: user, password: new Secret(noted) };
  return { content: receiptNotes(new Map([[server, { login, receivedAt }]])), modifiedAt };
}

function held(password: string, found: { content: string; modifiedAt: number }) {
  return heldLogin({ configs: { [server]: { auth: { username: user, password } } } }, server, user, found);
}

describe('a receipt that the file notes', () => {
  test.each([
    ['a clock that is right', 0],
    ['a clock that is an hour ahead: the password looks an hour old', -hour],
    ['a clock that is an hour behind: the password is of the future', hour],
    ['a clock of 1970', 56 * 365 * 24 * hour],
  ])('%s', (_, skew) => {
    const password = datedToken(now + skew, 3 * hour);
    expect(held(password, file(password))).toMatchObject({ receivedAt: now, life: 3 * hour });
  });

  test.each([
    ['a hand that touches the file', now + 5 * hour],
    ['a backup that restores it with a time of its own', now - 30 * 24 * hour],
  ])('%s makes the password neither newer nor older', (_, modifiedAt) => {
    const password = datedToken(now, 3 * hour);
    expect(held(password, file(password, { modifiedAt }))).toMatchObject({ receivedAt: now });
  });

  test.each([
    ['years', 10 * 365 * 24 * hour],
    ['ten seconds', 10_000],
  ])('a life of %s is what the password says', (_, life) => {
    const password = datedToken(now, life);
    expect(held(password, file(password))).toMatchObject({ life });
  });

  test('a password that says no end has none', () => {
    expect(held('hunter2', file('hunter2'))).toMatchObject({ receivedAt: now, life: undefined });
  });

  test('a password that was received is ours, whichever name of the registry it was made for', () => {
    const claims = { iat: now / 1_000, exp: now / 1_000 + 3_600, aud: 'myteam.global.azurecr.io' };
    const password = ['{}', JSON.stringify(claims), '']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    expect(held(password, file(password))).toMatchObject({ receivedAt: now });
    expect(held(password, { content: '', modifiedAt: now })).toBeUndefined();
  });

  test('another password than the one received is not ours', () => {
    const password = datedToken(now, 3 * hour, 'by hand');
    expect(held(password, file(password, { noted: datedToken(now, 3 * hour) }))).toBeUndefined();
  });

  test('each server has its own', () => {
    const passwords = { 'one.io': datedToken(now, hour), 'two.io': datedToken(now, 2 * hour) };
    const logins = Object.entries(passwords).map(([name, password], at) => {
      const login = { username: user, password: new Secret(password) };
      return [name, { login, receivedAt: now - at * hour }] as const;
    });
    const found = { content: receiptNotes(new Map(logins)), modifiedAt: now };
    const configs = Object.fromEntries(
      logins.map(([name, { login }]) => [
        name,
        { auth: { username: user, password: login.password.reveal() } },
      ]),
    );
    expect(heldLogin({ configs }, 'one.io', user, found)).toMatchObject({ receivedAt: now, life: hour });
    expect(heldLogin({ configs }, 'two.io', user, found)).toMatchObject({
      receivedAt: now - hour,
      life: 2 * hour,
    });
  });

  test('tells no password', () => {
    const password = datedToken(now, hour);
    expect(file(password).content).toMatch(
      /^# myteam\.azurecr\.io: received 2026-01-01T00:00:00\.000Z sha256:[0-9a-f]{12}\n$/,
    );
  });
});

test.each([
  ['another user', { configs: { [server]: { auth: { username: 'other', password: 'hunter2' } } } }],
  ['an empty password', { configs: { [server]: { auth: { username: user, password: '' } } } }],
  ['an empty login', { configs: { [server]: { auth: {} } } }],
  ['another registry', { configs: {} }],
  ['mirrors alone', {}],
])('%s is no login of ours', (_, content) => {
  expect(heldLogin(content, server, user, { content: '', modifiedAt: now })).toBeUndefined();
});

describe('a file that notes no receipt', () => {
  test.each([
    ['counts from its own time', datedToken(now + 2 * hour, 3 * hour), now],
    [
      'counts from the date of a password that is older',
      datedToken(now - 2 * hour, 3 * hour),
      now - 2 * hour,
    ],
    ['counts from its own time where the password says nothing', 'hunter2', now],
  ])('%s', (_, password, receivedAt) => {
    expect(held(password, { content: '', modifiedAt: now })).toMatchObject({ receivedAt });
  });

  const time = new Date(now - hour).toISOString();
  test.each([
    `# ${server}: received yesterday sha256:012345\n`,
    `x: y # ${server}: received ${time} sha256:012345\n`,
    `# ${server}: received ${time} sha256:012345 or so\n`,
  ])('a note that is damaged is none: %j', (content) => {
    expect(held('hunter2', { content, modifiedAt: now })).toMatchObject({ receivedAt: now });
  });

  test('a password for this registry is ours, however its name is written', () => {
    const claims = { iat: now / 1_000, exp: now / 1_000 + 3_600, aud: 'MyTeam.azurecr.io' };
    const password = ['{}', JSON.stringify(claims), '']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    expect(held(password, { content: '', modifiedAt: now })).toMatchObject({ receivedAt: now, life: hour });
  });
});
