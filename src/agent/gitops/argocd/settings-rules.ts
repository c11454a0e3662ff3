import { given, mapAt, type Problem } from '../../settings/path.ts';
import type { Written } from '../../settings/section.ts';
import { release } from './release.ts';
import { isSsh } from './repository-url.ts';

/** The settings that give Argo CD access to a private repository. At most one of them may be set. */
const ways = ['tokenSecretName', 'sshKeySecretName', 'githubApp'] as const;

/** Lists missing settings and contradictions in the section `gitops.argocd` of a node that uses Argo CD. */
export function argocdMisfits(written: Written, settings: Written): readonly Problem[] {
  return [
    ...missing(written),
    ...surplusWays(written),
    ...protocolMisfits(written),
    ...secondChart(mapAt(settings, ['workloads', 'charts'])),
    ...noController(mapAt(settings, ['k3s', 'config'])),
  ];
}

/** Reports a chart in `workloads.charts` with the name of Argo CD's own chart: each would replace the other. */
function secondChart(charts: Written): readonly Problem[] {
  return given(charts[release])
    ? [
        {
          path: [],
          message: `installs a chart with the name ${release}, as does workloads.charts; take it out of workloads.charts`,
        },
      ]
    : [];
}

/** Reports the setting that turns off the helm-controller of K3s, which installs charts. */
function noController(config: Written): readonly Problem[] {
  const message = 'needs the controller that k3s.config turns off; leave out disable-helm-controller there';
  return String(config['disable-helm-controller']) === 'true' ? [{ path: [], message }] : [];
}

function missing(written: Written): readonly Problem[] {
  return ['url', 'path']
    .filter((key) => !given(written[key]))
    .map((key) => ({ path: [key], message: 'is missing; set it, as engine argocd needs' }));
}

function surplusWays(written: Written): readonly Problem[] {
  const [first, ...others] = ways.filter((way) => given(written[way]));
  return others.map((way) => ({
    path: [way],
    message: `does not go with ${first}; leave out one of them, since Argo CD needs only one login`,
  }));
}

/** Lists logins that do not work with the protocol of the URL, and a missing key for a URL over ssh. */
function protocolMisfits(written: Written): readonly Problem[] {
  const { url } = written;
  if (typeof url !== 'string') {
    return [];
  }
  if (!isSsh(url)) {
    return given(written.sshKeySecretName)
      ? [
          {
            path: ['sshKeySecretName'],
            message: 'needs a url over ssh such as git@github.com:acme/fleet.git; change url, or use a token',
          },
        ]
      : [];
  }
  const foreign = ways.filter((way) => way !== 'sshKeySecretName' && given(written[way]));
  if (foreign.length > 0) {
    return foreign.map((way) => ({
      path: [way],
      message: 'needs a url that begins with https://; change url, or use sshKeySecretName',
    }));
  }
  return given(written.sshKeySecretName)
    ? []
    : [
        {
          path: ['sshKeySecretName'],
          message: 'is missing; set it, since a Git host requires a key over ssh, or use a url with https://',
        },
      ];
}
