import { describe, expect, test } from 'vitest';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { gitSecret } from '../../../../../src/agent/gitops/flux/flux-git-secret.ts';
import type { FluxSettings } from '../../../../../src/agent/gitops/flux/settings.ts';
import { fluxSettings } from './settings.ts';

/** Returns the values of the Secret as text. */
function valuesOf(settings: FluxSettings, ca?: string): Readonly<Record<string, string>> {
  const values = gitSecret(settings, ca).values((name) => new Secret(`the value of ${name}`));
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.reveal()]));
}

describe('gitSecret', () => {
  test.each<readonly [Partial<FluxSettings>, string]>([
    [{ provider: 'github', username: 'ada' }, 'git'],
    [{ provider: 'gitlab', username: 'ada' }, 'git'],
    [{ provider: 'gitea', username: 'ada' }, 'git'],
    [{ provider: 'git', username: 'ada' }, 'ada'],
    [{ provider: 'bitbucket-server', username: 'ada' }, 'ada'],
    [{ provider: 'bitbucket-server', username: 'ada', personal: true, owner: 'grace' }, 'grace'],
  ])('contains, for %j, the same user name that flux bootstrap writes: %s', (changes, username) => {
    const settings = fluxSettings(changes);
    expect(valuesOf(settings)).toEqual({ username, password: 'the value of flux-git-token' });
    expect(gitSecret(settings, undefined).keys).toEqual(['username', 'password']);
  });

  test('contains the CAs of the Git host if the settings name a CA file', () => {
    expect(valuesOf(fluxSettings(), 'the CAs')['ca.crt']).toBe('the CAs');
    expect(gitSecret(fluxSettings(), 'the CAs').keys).toContain('ca.crt');
  });

  test('changes its form if the user, the CAs or the secret name of the token changes', () => {
    const forms = [
      gitSecret(fluxSettings(), undefined),
      gitSecret(fluxSettings(), 'the CAs'),
      gitSecret(fluxSettings({ provider: 'git', username: 'ada' }), undefined),
      gitSecret(fluxSettings({ tokenSecretName: 'other' }), undefined),
    ].map(({ form }) => form);
    expect(new Set(forms).size).toBe(forms.length);
  });
});
