import * as z from 'zod/mini';
import { gitHost, gitUrl, url } from '../../settings/address-forms.ts';
import { choiceOf } from '../../settings/choice.ts';
import { duration, repositoryPath, secretName, text, words } from '../../settings/forms.ts';
import { about, type Section, type SettingsSection } from '../../settings/section.ts';
import { fluxProviders } from './providers.ts';
import { fluxMisfits } from './settings-rules.ts';

const release = text(/^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/, 'be a Flux release such as 2.9.4');

const schema = about(
  'Settings for engine flux.',
  z.strictObject({
    version: about('The Flux release.', release),
    releaseUrl: about('The URL below which Slipway finds Flux releases.', url),
    provider: about('The provider of the repository.', z.optional(choiceOf(fluxProviders))),
    owner: about(
      'The user, organisation, group or project that owns the repository; not for git.',
      z.optional(words),
    ),
    repository: about('The name of the repository; not for git.', z.optional(words)),
    hostname: about(
      'The host name of your own Git server, such as a GitHub Enterprise or Forgejo server; not for git.',
      z.optional(gitHost),
    ),
    url: about('For git: the URL of the repository.', z.optional(gitUrl)),
    username: about('For git and bitbucket-server: the user name for the token.', words),
    branch: about('The branch that Flux follows.', words),
    path: about('The folder of this cluster in the repository.', z.optional(repositoryPath)),
    personal: about('Whether the owner is a user; not for git.', z.boolean()),
    private: about('Whether a repository that flux bootstrap creates is private.', z.boolean()),
    tokenAuth: about(
      'Whether Flux fetches with the token; with false, it fetches with a deploy key.',
      z.boolean(),
    ),
    components: about('The controllers to install.', z.array(words)),
    componentsExtra: about('Further controllers, such as image-reflector-controller.', z.array(words)),
    interval: about('The time between two checks of the repository for new commits.', duration),
    timeout: about(
      'The time limit of a bootstrap: one half for its steps, one half until the controllers are ready.',
      duration,
    ),
    tokenSecretName: about('The name of the secret with the Git token.', secretName),
  }),
);

export const fluxSettings = {
  schema,
  defaults: {
    version: '2.9.4',
    releaseUrl: 'https://github.com/fluxcd/flux2/releases/download',
    username: 'git',
    branch: 'main',
    personal: false,
    private: true,
    tokenAuth: true,
    components: ['source-controller', 'kustomize-controller', 'helm-controller', 'notification-controller'],
    componentsExtra: [],
    interval: '1m',
    timeout: '10m',
    tokenSecretName: 'flux-git-token',
  },
  misfits: fluxMisfits,
  plainHttp: () => [{ path: ['releaseUrl'], risk: 'replace the Flux CLI, which runs as root' }],
} as const satisfies SettingsSection<typeof schema>;

/** The settings in `gitops.flux`, whether or not Flux is in use. */
export type FluxSection = Section<typeof schema>;

/** The settings in `gitops.flux` of a node that uses Flux, so `provider` is set. */
export type FluxSettings = FluxSection & { readonly provider: NonNullable<FluxSection['provider']> };
