import * as z from 'zod/mini';
import { gitRemote, url } from '../../settings/address-forms.ts';
import { repositoryPath, secretName, text, words } from '../../settings/forms.ts';
import { about, type Section, type SettingsSection } from '../../settings/section.ts';
import { argocdMisfits } from './settings-rules.ts';

const chartVersion = text(
  /^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/,
  'be a version of the chart argo-cd such as 10.1.1',
);

const id = z
  .int('must be a number, without quotes')
  .check(z.positive('must be above zero; GitHub shows it on the page of the App'));

const githubApp = z.strictObject({
  appId: about('The id of the App.', id),
  installationId: about('The id of its installation in the organisation.', id),
  privateKeySecretName: about('The name of the secret with the private key of the App, as PEM.', secretName),
  enterpriseUrl: about(
    'For GitHub Enterprise: the address of its API, such as https://github.example.com/api/v3.',
    z.optional(url),
  ),
});

const schema = about(
  'Settings for engine argocd.',
  z.strictObject({
    chartVersion: about(
      'The version of the Helm chart argo-cd; 10.1.1 installs Argo CD 3.4.4.',
      chartVersion,
    ),
    chartRepository: about('The address of the Helm repository with the chart argo-cd.', url),
    failurePolicy: about(
      'What K3s does after a failed installation of the chart: abort waits for a person, retry upgrades the failed release.',
      z.enum(['abort', 'retry']),
    ),
    values: about(
      'Values of the chart, merged with the defaults. Every reader of the settings sees them, so they must not contain a secret.',
      z.record(words, z.unknown()),
    ),
    url: about(
      'The URL of the repository: https://... or, with a deploy key, git@HOST:PATH or ssh://...',
      z.optional(gitRemote),
    ),
    revision: about('The branch, tag or commit that Argo CD follows; HEAD is the default branch.', words),
    path: about('The folder of this cluster in the repository.', z.optional(repositoryPath)),
    username: about('With tokenSecretName: the user name for the token.', words),
    tokenSecretName: about(
      'For a private repository: the name of the secret with the Git token.',
      z.optional(secretName),
    ),
    sshKeySecretName: about(
      'For a private repository over ssh: the name of the secret with the private key.',
      z.optional(secretName),
    ),
    githubApp: about('For a private repository at GitHub: the App that reads it.', z.optional(githubApp)),
  }),
);

export const argocdSettings = {
  schema,
  defaults: {
    chartVersion: '10.1.1',
    chartRepository: 'https://argoproj.github.io/argo-helm',
    failurePolicy: 'abort',
    values: {
      dex: { enabled: false },
      notifications: { enabled: false },
      controller: { resources: { requests: { cpu: '100m', memory: '512Mi' } } },
    },
    revision: 'HEAD',
    username: 'git',
  },
  misfits: argocdMisfits,
  plainHttp: () => [
    { path: ['chartRepository'], risk: 'replace Argo CD, which has all rights in the cluster' },
    { path: ['githubApp', 'enterpriseUrl'], risk: 'read the tokens of the GitHub App' },
  ],
} as const satisfies SettingsSection<typeof schema>;

/** The settings in `gitops.argocd`, whether or not Argo CD is in use. */
export type ArgocdSection = Section<typeof schema>;

/** The settings in `gitops.argocd` of a node that uses Argo CD, so `url` and `path` are set. */
export type ArgocdSettings = ArgocdSection & { readonly url: string; readonly path: string };
