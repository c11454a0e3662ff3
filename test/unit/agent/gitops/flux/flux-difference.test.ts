import { expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { refuseDifference } from '../../../../../src/agent/gitops/flux/flux-difference.ts';
import type { FluxObject } from '../../../../../src/agent/gitops/flux/flux-objects.ts';
import { applied } from './cluster.ts';
import { fluxSettings } from './settings.ts';

function sourceAt(url: string, branch = 'main'): FluxObject {
  return { spec: { url, ref: { branch } } };
}

const own = sourceAt('https://github.com/acme/platform.git');

test.each([
  ['the one in the settings', own],
  ['missing', undefined],
  ['at a tag', { spec: { url: 'https://github.com/acme/platform.git', ref: {} } }],
])('refuseDifference accepts a source that is %s', (_, source) => {
  expect(() => refuseDifference({ source, sync: applied() }, fluxSettings())).not.toThrow();
});

test.each([
  [
    'path',
    { source: own, sync: applied('./clusters/test') },
    'BootstrapPathDiffers',
    'at ./clusters/test, but gitops.flux.path says ./clusters/prod; nothing was changed. ' +
      'Set gitops.flux.path to ./clusters/test, or change spec.path in gotk-sync.yaml by a commit.',
  ],
  [
    'repository',
    { source: sourceAt('https://u:canary@github.com/acme/old.git'), sync: applied() },
    'BootstrapSourceDiffers',
    'from https://github.com/acme/old.git, but gitops.flux says github.com/acme/platform; nothing was changed. ' +
      'Set the repository in gitops.flux to https://github.com/acme/old.git, or change spec.url in gotk-sync.yaml by a commit.',
  ],
  [
    'branch',
    { source: sourceAt('https://github.com/acme/platform', 'next'), sync: applied() },
    'BootstrapSourceDiffers',
    'from branch next, but gitops.flux.branch says main; nothing was changed. ' +
      'Set gitops.flux.branch to next, or change spec.ref.branch in gotk-sync.yaml by a commit.',
  ],
])(
  'refuseDifference reports a different %s, which only a person can correct',
  (_, objects, reason, message) => {
    const error = thrownBy(() => refuseDifference(objects, fluxSettings()));
    expect(error).toMatchObject({ reason, endedBy: 'person', blocks: false });
    expect(error.message).toBe(`Flux is bootstrapped ${message}`);
  },
);

function thrownBy(work: () => void): NodeError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return thrown;
    }
  }
  throw new Error('no NodeError was thrown');
}
